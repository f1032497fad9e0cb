#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/error.hpp"
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

/// Insertions, deletions and changes that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Up to `count` of the names that look most like `name`, best first: those that contain it or are
/// within half its length of it.
std::vector<std::string> closest(const std::vector<std::string>& names, const std::string& name,
                                 std::size_t count = 3);

/// "; did you mean 'a' or 'b'?", or nothing.
std::string did_you_mean(const std::vector<std::string>& names, const std::string& name);

/// To be read from its beginning to its end: a regular file, or a pipe, whose writer it waits for.
/// Throws Error(code) naming the file when it is missing, unreadable, or something else: a
/// directory, a device, a socket.
std::ifstream open_input(const std::string& file, ErrorCode code);

/// The whole of a text file. Throws as open_input does, and where it is larger than `limit` bytes.
std::string read_text(const std::string& file, ErrorCode code, std::uintmax_t limit = 16 << 20);

}  // namespace fovea::cli
