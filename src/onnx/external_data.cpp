#include "onnx/external_data.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <system_error>
#include <utility>

#include "base/checked.hpp"
#include "fovea/error.hpp"
#include "onnx/limits.hpp"
#include "onnx/text.hpp"

namespace fovea::onnx {
namespace {

[[noreturn]] void refuse(std::string sentence) {
  throw Error(ErrorCode::bad_model, std::move(sentence));
}

std::int64_t parse_size(const std::string& key, const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || value < 0)
    refuse("the external data's " + key + " " + quote(text) + " is not a size");
  return value;
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// The folders of what `file` links to, one link at a time.
std::vector<std::filesystem::path> folders_behind(std::filesystem::path file) {
  namespace fs = std::filesystem;
  constexpr int kMost = 40;  // as the system follows
  std::vector<fs::path> out;
  std::error_code failure;
  std::set<fs::path> known{fs::canonical(folder_of(file), failure)};
  for (int i = 0; i < kMost; ++i) {
    const auto to = fs::read_symlink(file, failure);
    if (failure) break;
    file = to.is_absolute() ? to : folder_of(file) / to;
    const auto real = fs::canonical(folder_of(file), failure);
    if (failure) break;
    if (known.insert(real).second) out.push_back(real);
  }
  return out;
}

// Writers align tensors to pages; what lies between two of them is cheaper read than skipped.
constexpr std::int64_t kGap = 64 << 10;

}  // namespace

DataFolders DataFolders::beside(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  DataFolders out;
  out.folder = folder_of(file);
  std::error_code failure;
  const auto real = fs::canonical(file, failure).parent_path();
  if (failure) return out;
  out.roots.push_back(real);
  const auto blobs = real.parent_path() / "blobs";
  if (fs::canonical(blobs, failure) == blobs && blobs != real) out.roots.push_back(blobs);
  out.behind_links = folders_behind(file);
  return out;
}

DataFolders DataFolders::in(const std::filesystem::path& folder) {
  DataFolders out{folder};
  std::error_code failure;
  const auto real = std::filesystem::canonical(folder, failure);
  if (!failure) out.roots.push_back(real);
  return out;
}

ExternalRange external_range(const format::TensorProto& tensor, std::int64_t bytes) {
  ExternalRange range;
  std::set<std::string> seen;
  bool has_length = false;
  for (const auto& entry : tensor.external_data()) {
    const auto& key = entry.key();
    if (!seen.insert(key).second) refuse("the external data repeats the key " + quote(key));
    if (key == "location")
      range.location = entry.value();
    else if (key == "offset")
      range.offset = parse_size(key, entry.value());
    else if (key == "length") {
      range.length = parse_size(key, entry.value());
      has_length = true;
    } else if (key != "checksum")
      refuse("the external data has the unknown key " + quote(key));
  }
  if (!seen.contains("location")) refuse("the external data names no location");
  if (has_length && range.length != bytes)
    refuse("the external data has " + std::to_string(range.length) + " bytes, its shape needs " +
           std::to_string(bytes));
  range.length = bytes;
  return range;
}

const ExternalData::Opened& ExternalData::open(const std::string& location) {
  if (const auto known = files_.find(location); known != files_.end()) return known->second;
  const auto& [folder, behind_links, roots] = folders_;
  // lstat: a link that leads nowhere is there, and is refused.
  const auto is_missing = [&](const std::filesystem::path& in) {
    std::error_code failure;
    return std::filesystem::symlink_status(in / location, failure).type() ==
           std::filesystem::file_type::not_found;
  };
  auto from = folder;
  if (is_missing(from))
    for (const auto& other : behind_links)
      if (from = other; !is_missing(other)) break;
  auto file = std::make_shared<const File>(File::open_beneath(from, location, roots));
  const auto size = file->size();
  if (files_.size() >= kMaxOpenFiles) file.reset();
  return files_.emplace(location, Opened{size, std::move(file), std::move(from)}).first->second;
}

void ExternalData::announce(const ExternalRange& range, bool may_wait) {
  if (folders_.folder.empty())
    throw Error(ErrorCode::invalid_argument,
                "the model keeps weights in the file " + quote(range.location) +
                    ": name the folder that holds it (LoadOptions::external_data)");
  const auto& [size, file, folder] = open(range.location);
  if (range.offset > size || range.length > size - range.offset)
    refuse("the external data " + quote(range.location) + " is truncated: it has " +
           std::to_string(size) + " bytes, " + std::to_string(range.length) +
           " are wanted from byte " + std::to_string(range.offset) + " on");
  if (may_wait && file) return;
  pieces_[range.location].push_back({range.offset, range.offset + range.length, nullptr});
}

std::shared_ptr<const File> ExternalData::held_open(const std::string& location) const {
  return files_.at(location).file;
}

std::vector<std::filesystem::path> ExternalData::paths() const {
  std::set<std::filesystem::path> out;  // several locations may be one path
  for (const auto& [location, opened] : files_) out.insert(path_of(location).lexically_normal());
  return {out.begin(), out.end()};
}

void ExternalData::read_all() {
  std::int64_t total = 0;
  for (auto& [location, pieces] : pieces_) {
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
    std::vector<Piece> merged;
    for (const auto& piece : pieces) {
      if (merged.empty() || piece.begin > merged.back().end + kGap)
        merged.push_back(piece);
      else
        merged.back().end = std::max(merged.back().end, piece.end);
    }
    auto file = held_open(location);
    if (!file)
      file = std::make_shared<const File>(
          File::open_beneath(files_.at(location).folder, location, folders_.roots));
    for (auto& piece : merged) {
      // From a cache line on, so that what is aligned in the file is aligned in memory.
      piece.begin -= piece.begin % static_cast<std::int64_t>(base::kAlignment);
      const auto length = piece.end - piece.begin;
      total = base::checked_add(total, length);
      if (total > kMaxWeightBytes) refuse("the model's weights are larger than 16 GiB");
      piece.buffer = std::make_shared<base::AlignedBuffer>(static_cast<std::size_t>(length));
      file->read(piece.begin, {piece.buffer->data(), piece.buffer->size()});
    }
    pieces = std::move(merged);
  }
}

ExternalData::Bytes ExternalData::find(const ExternalRange& range) const {
  const auto& pieces = pieces_.at(range.location);
  const auto after = std::upper_bound(
      pieces.begin(), pieces.end(), range.offset,
      [](std::int64_t offset, const Piece& piece) { return offset < piece.begin; });
  const auto& piece = *(after - 1);
  const std::span<const std::byte> all(piece.buffer->data(), piece.buffer->size());
  return {piece.buffer, all.subspan(static_cast<std::size_t>(range.offset - piece.begin),
                                    static_cast<std::size_t>(range.length))};
}

}  // namespace fovea::onnx
