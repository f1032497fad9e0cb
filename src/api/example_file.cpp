// An index of examples as a file, all numbers little-endian:
//
//   "FOVEAIDX"                            8 bytes
//   format                                u32, 3
//   zero                                  u32
//   channels, examples, bytes of texts    u64 each
//   checksum of all the rest              u64
//   texts: the model, the layer, the inputs, then each example's name, label and
//          digest, each a u32 with its bytes, then the bytes
//   rows: per example its features in bf16, padded with zeros to a multiple of 32
//
// Formats 1 and 2 have no digests, and format 1 another checksum.

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <new>
#include <system_error>

#include "api/checksum_format_1.hpp"
#include "api/example_index.hpp"
#include "base/atomic_file.hpp"
#include "base/checked.hpp"
#include "base/checksum.hpp"

namespace fovea {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Header {
  std::array<char, 8> magic;
  std::uint32_t format, zero;
  std::uint64_t channels, examples, text_bytes;
  std::uint64_t checksum;
};
static_assert(sizeof(Header) == 48);

constexpr std::array<char, 8> kMagic = {'F', 'O', 'V', 'E', 'A', 'I', 'D', 'X'};
constexpr std::uint32_t kFormat = 3;

std::uint64_t checksum_of(const Header& header, std::span<const std::byte> texts,
                          std::span<const std::byte> rows) {
  const auto first = std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum));
  const auto checksum = header.format == 1 ? api::checksum_format_1 : base::checksum;
  return checksum(rows, checksum(texts, checksum(first, 0)));
}

[[noreturn]] void bad(const std::string& sentence) {
  throw Error(ErrorCode::bad_input, sentence);
}

[[noreturn]] void damaged() {
  bad("the index of examples is damaged");
}

void put(std::string& texts, const std::string& text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  texts.append(reinterpret_cast<const char*>(&size), sizeof size);
  texts += text;
}

class Texts {
 public:
  explicit Texts(std::string_view bytes) : rest_(bytes) {}
  std::string next() {
    std::uint32_t size = 0;
    if (rest_.size() < sizeof size) damaged();
    std::memcpy(&size, rest_.data(), sizeof size);
    rest_.remove_prefix(sizeof size);
    if (size > rest_.size()) damaged();
    std::string out(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return out;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

void read(std::ifstream& stream, void* to, std::size_t bytes) {
  stream.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
  if (static_cast<std::size_t>(stream.gcount()) != bytes) bad("the index of examples is cut off");
}

/// Throws where the header's sizes are not exactly the file's.
void check_sizes(const Header& header, std::uintmax_t file_bytes) {
  constexpr auto kMax = std::uint64_t{1} << 62;
  if (header.channels < 1 || header.channels > static_cast<std::uint64_t>(api::kMaxChannels) ||
      header.examples < 1 || header.examples > kMax || header.text_bytes > kMax)
    damaged();
  const auto code = ErrorCode::bad_input;
  const auto row = 2 * api::row_stride(static_cast<std::int64_t>(header.channels));
  const auto rows = base::checked_mul(row, static_cast<std::int64_t>(header.examples), code);
  const auto behind = base::checked_add(rows, static_cast<std::int64_t>(header.text_bytes), code);
  const auto whole = static_cast<std::uintmax_t>(
      base::checked_add(behind, static_cast<std::int64_t>(sizeof(Header)), code));
  if (file_bytes < whole) bad("the index of examples is cut off");
  if (file_bytes > whole) damaged();
}

void read_index(const std::filesystem::path& file, ExampleIndex::Impl& out) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status)) bad("there is no such index of examples");
  if (!std::filesystem::is_regular_file(status)) bad("the index of examples is no regular file");
  std::ifstream stream(file, std::ios::binary);
  const auto size = std::filesystem::file_size(file, failure);
  if (!stream || failure) bad("the index of examples cannot be read");
  if (size == 0) bad("the index of examples is empty");
  Header header{};
  if (size < sizeof header) bad("this is no index of examples, or it is cut off");
  read(stream, &header, sizeof header);
  if (header.magic != kMagic) bad("this is no index of examples");
  if (header.format < 1 || header.format > kFormat || header.zero != 0)
    bad("the index of examples has format " + std::to_string(header.format) +
        ", which this fovea does not know: make it again");
  check_sizes(header, size);

  std::string texts(header.text_bytes, '\0');
  read(stream, texts.data(), texts.size());
  out.set_channels(static_cast<std::int64_t>(header.channels));
  out.rows.resize(header.examples * static_cast<std::size_t>(out.stride));
  read(stream, out.rows.data(), out.rows.size() * sizeof out.rows[0]);
  if (checksum_of(header, std::as_bytes(std::span(texts)), std::as_bytes(std::span(out.rows))) !=
      header.checksum)
    damaged();
  Texts in(texts);
  out.origin.model = in.next();
  out.origin.layer = in.next();
  out.origin.inputs = in.next();
  out.entries.reserve(header.examples);
  for (std::uint64_t i = 0; i < header.examples; ++i) {
    auto& entry = out.entries.emplace_back();
    entry.name = in.next();
    entry.label = in.next();
    if (header.format > 2) entry.digest = in.next();
  }
  if (!in.at_end()) damaged();
}

}  // namespace

ExampleIndex ExampleIndex::load(const std::filesystem::path& file) {
  try {
    auto impl = std::make_unique<Impl>();
    read_index(file, *impl);
    return ExampleIndex(std::move(impl));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::out_of_memory, "not enough memory for the index of examples",
                {file.string(), "", ""});
  } catch (const Error& error) {
    throw error.with({file.string(), "", ""});
  }
}

void ExampleIndex::save(const std::filesystem::path& file) const {
  if (impl_->entries.empty())
    throw Error(ErrorCode::invalid_argument, "an index without examples is not written",
                {file.string(), "", ""});
  std::string texts;
  for (const auto& text : {impl_->origin.model, impl_->origin.layer, impl_->origin.inputs})
    put(texts, text);
  for (const auto& entry : impl_->entries)
    for (const auto& text : {entry.name, entry.label, entry.digest}) put(texts, text);
  Header header{
      kMagic,       kFormat, 0, static_cast<std::uint64_t>(impl_->channels), impl_->entries.size(),
      texts.size(), 0};
  const auto text_bytes = std::as_bytes(std::span(texts));
  const auto row_bytes = std::as_bytes(std::span(impl_->rows));
  header.checksum = checksum_of(header, text_bytes, row_bytes);
  base::write_atomically(file, {std::as_bytes(std::span(&header, 1)), text_bytes, row_bytes},
                         "the index of examples");
}

}  // namespace fovea
