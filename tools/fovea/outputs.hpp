#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Files that appear all together or not at all.
namespace fovea::cli {

/// Files that are read, by what they are rather than by their names.
class InputFiles {
 public:
  InputFiles() = default;
  InputFiles(const std::vector<std::string>& files);  // NOLINT(google-explicit-constructor)

  /// False for a file that does not exist.
  bool contain(const std::string& file) const;

 private:
  std::set<std::pair<std::uint64_t, std::uint64_t>> places_;  ///< device and number on it
};

/// Refuses, before any work, an output path that cannot be: an extension that is not in
/// `extensions` (lower case, with the dot; empty: any), a folder that does not exist or may not be
/// written, a folder in the file's place, or one of `inputs`. "-" is standard output, which for a
/// picture or a tensor is no terminal. Throws Error invalid_argument.
void check_output(const std::string& file, std::span<const std::string_view> extensions,
                  const InputFiles& inputs);

/// ".png .jpg .jpeg .bmp .webp", ".npy", and ".html .htm".
std::span<const std::string_view> picture_extensions();
std::span<const std::string_view> page_extensions();
std::span<const std::string_view> tensor_extensions();

/// ".png", with the dot; of standard output that too.
std::string picture_extension(const std::string& file);

/// "overlay.png" and "2-1" give "overlay-2-1.png"; an empty suffix changes nothing. Throws Error
/// invalid_argument for standard output, which is one file.
std::string with_suffix(const std::string& file, const std::string& suffix);

class OutputFiles {
 public:
  OutputFiles() = default;
  OutputFiles(const OutputFiles&) = delete;
  OutputFiles& operator=(const OutputFiles&) = delete;
  ~OutputFiles();  ///< removes what was written, unless keep() was called

  void add(std::string file, std::vector<std::byte> bytes);
  void add(std::string file, std::string_view text);

  /// Writes every file but "-" beside its place and then moves them there. Throws Error internal
  /// naming the file when the disk refuses; none of them is left then.
  void write();
  void keep() noexcept { kept_ = true; }
  /// Prints what is told of the files, or the file "-" in its place, and keeps them: also where
  /// nobody reads it any more.
  void tell(std::string_view text);

  std::vector<std::string> names() const;  ///< but "-"

 private:
  struct File {
    std::string name;
    std::string place;      // what `name` leads to
    std::string temporary;  // empty where the place is a device or a pipe
    std::vector<std::byte> bytes;
    bool moved = false;
  };
  std::vector<File> files_;
  std::set<std::string> names_;  // as no two may be
  bool kept_ = false;
};

/// For subcommands whose only output is text or JSON: `json_file` as --json gives it (a file, "-",
/// or empty for the text).
void write_result(const std::string& json_file, const std::string& text, const std::string& json);

/// Nobody reads standard output any more, who read it before: no failure, but there is nothing left
/// to do. Thrown by `print`, caught by main().
struct ReaderGone {};

/// Prints and flushes. Throws ReaderGone, or Error internal where standard output does not take it.
void print(std::string_view text);

}  // namespace fovea::cli
