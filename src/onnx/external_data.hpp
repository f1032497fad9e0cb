#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/aligned.hpp"
#include "onnx/file.hpp"
#include "onnx/format.hpp"

namespace fovea::onnx {

/// Where a model's other files may lie.
struct DataFolders {
  std::filesystem::path folder;  ///< empty: they are refused
  /// Where links lead, one after the other, if the user named a link to the model's file: looked
  /// into for what the folders before have not.
  std::vector<std::filesystem::path> behind_links = {};
  std::vector<std::filesystem::path> roots = {};  ///< beneath which links are followed

  /// Of a model's file: its own folder, and that of each link on the way to the real file. Links
  /// may lead beneath the folder of the real file, and beneath `blobs` beside that, as in Hugging
  /// Face's cache.
  static DataFolders beside(const std::filesystem::path& file);
  /// Of a folder that the user named.
  static DataFolders in(const std::filesystem::path& folder);
};

/// Where a tensor's bytes lie in another file.
struct ExternalRange {
  std::string location;
  std::int64_t offset = 0;
  std::int64_t length = 0;
};

/// The range that a tensor's `external_data` entries name, for data of `bytes` bytes. Throws Error
/// bad_model for unknown or repeated keys, numbers that are not, and a length that does not fit.
ExternalRange external_range(const format::TensorProto& tensor, std::int64_t bytes);

/// The external weight files of one model. First every range is announced; then the bytes that are
/// wanted at once are read, once, and shared by the tensors that look at them.
class ExternalData {
 public:
  explicit ExternalData(DataFolders folders) : folders_(std::move(folders)) {}

  /// Throws Error: invalid_argument without a folder, bad_model for an unsafe location or a range
  /// beyond the file's end. `may_wait`: the range need not be read while its file can be held open.
  void announce(const ExternalRange& range, bool may_wait);
  void read_all();

  struct Bytes {
    std::shared_ptr<const void> owner;
    std::span<const std::byte> bytes;
  };
  /// An announced range that could not wait, after read_all.
  Bytes find(const ExternalRange& range) const;
  /// The file of a range that waits; null where files are held no longer than they are read.
  std::shared_ptr<const File> held_open(const std::string& location) const;
  std::filesystem::path path_of(const std::string& location) const {
    return files_.at(location).folder / location;
  }
  /// The files that were announced, each once, by path.
  std::vector<std::filesystem::path> paths() const;

 private:
  struct Piece {
    std::int64_t begin = 0;
    std::int64_t end = 0;
    std::shared_ptr<base::AlignedBuffer> buffer;
  };
  struct Opened {
    std::int64_t size = 0;
    std::shared_ptr<const File> file;  // null beyond kMaxOpenFiles
    std::filesystem::path folder;
  };
  const Opened& open(const std::string& location);

  DataFolders folders_;
  std::map<std::string, Opened> files_;               // by location
  std::map<std::string, std::vector<Piece>> pieces_;  // by location; ordered once read
};

}  // namespace fovea::onnx
