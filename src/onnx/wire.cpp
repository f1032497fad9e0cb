#include "onnx/wire.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "fovea/error.hpp"
#include "onnx/impostor.hpp"
#include "onnx/limits.hpp"
#include "onnx/wire_kinds.hpp"

namespace fovea::onnx {
namespace {

// Lists of subgraphs are not read, yet their nesting is bounded: whoever reads the file next may
// recurse.
bool may_nest(Kind parent, std::uint64_t field) {
  return parent == Kind::attribute && field == 11;
}

enum class Wire : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

enum class Fault { malformed, truncated };

[[noreturn]] void refuse(std::string sentence) {
  throw Error(ErrorCode::bad_model, std::move(sentence));
}

// Walks the messages and writes down those that are read. Where data is left out, the lengths of
// the messages around it shrink; each is written in as many bytes as it had.
class Scanner {
 public:
  explicit Scanner(const Source& source) : source_(source), size_(source.size()) {}

  Skeleton scan() {
    message(Kind::model, size_, 1);
    return std::move(out_);
  }
  bool looks_like_a_model() const { return known_fields_ > 0; }

 private:
  // Throws Fault where the bytes end, so that the caller can tell a cut from an impostor.
  std::uint64_t varint(std::int64_t end) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ >= end) throw end == size_ ? Fault::truncated : Fault::malformed;
      const auto byte = next();
      if (shift == 63 && byte > 1) throw Fault::malformed;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw Fault::malformed;
  }

  std::uint64_t next() {
    if (at_ < window_begin_ || at_ >= window_end_) {
      window_begin_ = at_;
      window_end_ = std::min<std::int64_t>(size_, at_ + std::ssize(window_));
      source_.read(at_, std::span(window_).first(length(window_begin_, window_end_)));
    }
    return std::to_integer<std::uint64_t>(window_[length(window_begin_, at_++)]);
  }

  void skip(std::uint64_t count, std::int64_t end) {
    if (count > static_cast<std::uint64_t>(end - at_))
      throw count > static_cast<std::uint64_t>(size_ - at_) ? Fault::truncated : Fault::malformed;
    at_ += static_cast<std::int64_t>(count);
  }

  void message(Kind kind, std::int64_t end, int depth) {
    if (depth > kMaxDepth)
      refuse("the model's messages are nested deeper than " + std::to_string(kMaxDepth));
    while (at_ < end) {
      const auto begin = at_;
      const auto tag = varint(end);
      const auto field = tag >> 3;
      if (field == 0 || field > kLeftOutField) throw Fault::malformed;
      if (kind == Kind::tensor && is_payload(field)) ++payloads_;
      switch (static_cast<Wire>(tag & 7)) {
        case Wire::varint:
          varint(end);
          if (kind == Kind::model && field == 1) ++known_fields_;
          break;
        case Wire::fixed64:
          skip(8, end);
          break;
        case Wire::fixed32:
          skip(4, end);
          break;
        case Wire::bytes:
          length_delimited(kind, field, begin, end, depth);
          continue;
        default:  // groups and the two numbers without a meaning
          throw Fault::malformed;
      }
      if (is_read(kind, field)) copy(begin, at_);
    }
  }

  void length_delimited(Kind kind, std::uint64_t field, std::int64_t begin, std::int64_t end,
                        int depth) {
    const auto length_begin = at_;
    const auto size = varint(end);
    const auto child_begin = at_;
    auto child = child_of(kind, field);
    if (may_nest(kind, field)) child = Kind::graph;
    if (kind == Kind::model && child != Kind::opaque) ++known_fields_;
    // A length that reaches past its parent but not past the file is a contradiction.
    skip(size, end);
    count(kind, field, child);
    const auto child_end = at_;
    if (child == Kind::opaque) {
      if (kind == Kind::tensor && can_leave_out(field, size))
        leave_out(field, child_begin, child_end);
      else if (is_read(kind, field))
        copy(begin, child_end);
      return;
    }
    at_ = child_begin;
    const bool was_silent = std::exchange(is_silent_, is_silent_ || !is_read(kind, field));
    copy(begin, length_begin);
    const auto written_length = out_.messages.size();
    copy(length_begin, child_begin);
    const auto written = out_.messages.size();
    if (child == Kind::tensor)
      tensor(child_end, depth + 1);
    else
      message(child, child_end, depth + 1);
    if (!is_silent_) rewrite_length(written_length, written);
    is_silent_ = was_silent;
  }

  // A tensor with several fields of data, whatever they mean together, is kept as it is.
  void tensor(std::int64_t end, int depth) {
    const auto begin = at_;
    const auto fields = fields_;
    const auto written = out_.messages.size();
    const auto left_out = out_.left_out.size();
    payloads_ = 0;
    message(Kind::tensor, end, depth);
    if (payloads_ <= 1 || out_.left_out.size() == left_out) return;
    at_ = begin;
    fields_ = fields;
    out_.messages.resize(written);
    out_.left_out.resize(left_out);
    may_leave_out_ = false;
    message(Kind::tensor, end, depth);
    may_leave_out_ = true;
  }

  bool can_leave_out(std::uint64_t field, std::uint64_t size) const {
    if (is_silent_ || !may_leave_out_ || size < static_cast<std::uint64_t>(kLargeBytes))
      return false;
    return field == kRawData || (field == kFloatData && size % sizeof(float) == 0);
  }

  void leave_out(std::uint64_t field, std::int64_t begin, std::int64_t end) {
    write_varint(kLeftOutField << 3 | static_cast<unsigned>(Wire::varint));
    write_varint(out_.left_out.size());
    out_.left_out.push_back({begin, end - begin, field == kFloatData});
  }

  void write_varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.messages += static_cast<char>(value | 0x80);
    out_.messages += static_cast<char>(value);
  }

  // The length at `place`, of what is written from `begin` on, which starts where the length ends.
  void rewrite_length(std::size_t place, std::size_t begin) {
    auto size = out_.messages.size() - begin;
    for (auto i = place; i < begin; ++i, size >>= 7)
      out_.messages[i] = static_cast<char>((size & 0x7f) | (i + 1 < begin ? 0x80U : 0U));
  }

  void copy(std::int64_t begin, std::int64_t end) {
    if (is_silent_ || begin == end) return;
    const auto written = out_.messages.size();
    out_.messages.resize(written + length(begin, end));
    const auto place = std::as_writable_bytes(std::span(out_.messages).subspan(written));
    if (begin >= window_begin_ && end <= window_end_)
      std::copy_n(window_.begin() + (begin - window_begin_), place.size(), place.begin());
    else
      source_.read(begin, place);
  }

  void count(Kind parent, std::uint64_t field, Kind child) {
    if (++fields_ > kMaxFields)
      refuse("the model has more than " + std::to_string(kMaxFields) + " parts");
    if (child == Kind::node && ++nodes_ > kMaxNodes)
      refuse("the model has more than " + std::to_string(kMaxNodes) + " nodes");
    if (child == Kind::function && ++functions_ > kMaxFunctions)
      refuse("the model has more than " + std::to_string(kMaxFunctions) + " local functions");
    if (parent == Kind::graph && field == 5 && ++initializers_ > kMaxInitializers)
      refuse("the model has more than " + std::to_string(kMaxInitializers) + " initializers");
  }

  static std::size_t length(std::int64_t begin, std::int64_t end) {
    return static_cast<std::size_t>(end - begin);
  }

  const Source& source_;
  const std::int64_t size_;
  std::int64_t at_ = 0;
  std::array<std::byte, 16384> window_{};
  std::int64_t window_begin_ = 0;
  std::int64_t window_end_ = 0;
  Skeleton out_;
  bool is_silent_ = false;  // within a subgraph
  bool may_leave_out_ = true;
  std::size_t payloads_ = 0;  // of the tensor so far
  std::size_t known_fields_ = 0;
  std::size_t fields_ = 0;
  std::size_t nodes_ = 0;
  std::size_t functions_ = 0;
  std::size_t initializers_ = 0;
};

[[noreturn]] void refuse_impostor(const Source& source) {
  std::string begin(static_cast<std::size_t>(std::min<std::int64_t>(source.size(), 1024)), '\0');
  source.read(0, std::as_writable_bytes(std::span(begin)));
  refuse("not an ONNX model (" + std::string(guess_format(begin)) + ")");
}

}  // namespace

Skeleton read_skeleton(const Source& source) {
  if (source.size() == 0) refuse("not an ONNX model (the file is empty)");
  if (source.size() > kMaxModelBytes) refuse("the model is larger than 2 GiB");
  Scanner scanner(source);
  try {
    auto skeleton = scanner.scan();
    if (!scanner.looks_like_a_model()) refuse_impostor(source);
    return skeleton;
  } catch (const Fault fault) {
    if (!scanner.looks_like_a_model()) refuse_impostor(source);
    refuse(fault == Fault::truncated ? "the model is truncated: its last part is missing"
                                     : "the model is damaged: its fields contradict each other");
  }
}

}  // namespace fovea::onnx
