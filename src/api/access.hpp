#pragma once

#include <memory>
#include <utility>

namespace fovea {

/// The library's way to what is behind its public classes.
struct Access {
  template <class Public>
  static const typename Public::Impl& impl(const Public& one) {
    return *one.impl_;
  }
  template <class Public>
  static std::shared_ptr<const typename Public::Impl> shared(const Public& one) {
    return one.impl_;
  }
  template <class Public>
  static Public make(std::shared_ptr<const typename Public::Impl> impl) {
    return Public(std::move(impl));
  }
};

}  // namespace fovea
