#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/files.hpp"
#include "fovea/spelling.hpp"
#include "fovea/tensor.hpp"

/// Small text helpers of the command-line program.
namespace fovea::cli {

/// "1 x 3 x 224 x 224", "?" where an extent is open, "scalar" for none.
std::string shape_text(const Shape& shape);

/// "a, b, c".
std::string joined(std::span<const std::string> items, std::string_view separator = ", ");

/// ASCII letters only; other bytes stay.
std::string lower(std::string_view text);

/// A float as the shortest decimal that gives it back, so that 0.1f is written 0.1.
double shortest(float value);

/// The shortest decimal that gives the number back: "0.15", "50".
std::string number_text(double value);

using fovea::read_text;

}  // namespace fovea::cli
