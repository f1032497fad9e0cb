#include "fovea/error.hpp"

#include <utility>

namespace fovea {
namespace {

constexpr std::size_t kLongestQuoted = 200;

// Names come from files that anybody may have written: one line, printable, bounded.
std::string quoted(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (out.size() >= kLongestQuoted) return out + "...";
    const auto u = static_cast<unsigned char>(c);
    out += (u < 0x20 || u == 0x7f) ? '?' : c;
  }
  return out;
}

std::string compose(const std::string& sentence, const ErrorContext& context) {
  std::string where;
  const auto add = [&](const char* label, const std::string& text) {
    if (text.empty()) return;
    where += (where.empty() ? " (" : ", ");
    where += label;
    where += " " + quoted(text);
  };
  add("file", context.file);
  add("node", context.node);
  add("op", context.op);
  if (!where.empty()) where += ")";
  return sentence + where;
}

}  // namespace

Error::Error(ErrorCode code, std::string sentence, ErrorContext context)
    : std::runtime_error(compose(sentence, context)),
      code_(code),
      sentence_(std::move(sentence)),
      context_(std::move(context)) {}

Error::~Error() = default;

Error Error::with(ErrorContext context) const {
  const auto fill = [](const std::string& ours, std::string& theirs) {
    if (!ours.empty()) theirs = ours;
  };
  fill(context_.file, context.file);
  fill(context_.node, context.node);
  fill(context_.op, context.op);
  return Error(code_, sentence_, std::move(context));
}

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::bad_model:
      return "bad_model";
    case ErrorCode::bad_input:
      return "bad_input";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::deadline_exceeded:
      return "deadline_exceeded";
    case ErrorCode::out_of_memory:
      return "out_of_memory";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

}  // namespace fovea
