#pragma once

#include <new>
#include <opencv2/core.hpp>

#include "fovea/error.hpp"

namespace fovea::image {

/// Runs `body`; what OpenCV throws becomes `failure`, or std::bad_alloc where memory ran out.
template <class Body>
auto translated(const Error& failure, Body&& body) {
  try {
    return body();
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw std::bad_alloc();
    throw failure;
  }
}

}  // namespace fovea::image
