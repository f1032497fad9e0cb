#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// results.jsonl: a line of JSON for each photo, then one that counts them.
namespace fovea::cli {

/// This process alone writes into the folder, while the object lives and where the file system can
/// say so. Throws Error invalid_argument where another one does.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

class ResultsFile {
 public:
  /// Reads what is there. What a call that was killed left of its last line does not count, nor,
  /// with `but_failed`, do the lines of photos that failed. Throws Error invalid_argument where a
  /// line is no result.
  ResultsFile(std::string file, bool but_failed);
  ~ResultsFile();
  ResultsFile(const ResultsFile&) = delete;
  ResultsFile& operator=(const ResultsFile&) = delete;

  std::int64_t ok() const { return ok_; }
  std::int64_t failed() const { return failed_; }
  /// The names that lines have given to the photos' outputs.
  const std::vector<std::string>& names() const { return names_; }
  /// The last line says that all is done.
  bool is_finished() const { return finished_; }
  /// Is there a line for the photo that was not asked for yet? Counts it as asked for.
  bool take(const std::string& image);

  /// Makes the file ready for further lines: what does not count is cut off.
  void open();
  /// Writes a line, or nothing of it. Throws Error internal where the disk refuses.
  void append(const std::string& line);
  /// The last line.
  void finish();

  void count(bool is_ok) { ++(is_ok ? ok_ : failed_); }

 private:
  void read(bool but_failed);

  std::string file_;
  std::map<std::string, std::int64_t> done_;  // by "image", as it stands in the file
  std::vector<std::string> names_;
  std::vector<std::string> kept_;  // lines, where some of the file's are left out
  std::int64_t ok_ = 0, failed_ = 0;
  std::int64_t end_ = 0;  // of what counts, in bytes
  bool finished_ = false, leaves_out_ = false;
  int descriptor_ = -1;
};

/// As a line has it: what is no UTF-8 is U+FFFD.
std::string as_written(const std::string& image);

}  // namespace fovea::cli
