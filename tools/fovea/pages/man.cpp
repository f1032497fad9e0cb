// Manual pages, in man(7).
#include "fovea/method_info.hpp"
#include "fovea/version.hpp"
#include "pages/table.hpp"

namespace fovea::cli {
namespace {

constexpr const char* kStatus[][2] = {
    {"0", "Done."},
    {"2",
     "Wrong usage: an option, a layer, class, label or method that does not exist, an output "
     "that cannot be."},
    {"3", "Bad model: missing, unreadable, inconsistent, or without an input that takes a photo."},
    {"4", "Bad image or tensor; of several images, at least one."},
    {"5", "The model uses an operator that fovea does not have."},
    {"130", "Interrupted (Ctrl-C)."},
    {"141", "Nobody reads standard output any more (SIGPIPE)."},
    {"1", "Anything else: a full disk, too little memory."},
};

/// As text: no character of it is an order to the formatter.
std::string plain(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool starts = i == 0 || text[i - 1] == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '.' && starts)
      out += "\\&.";
    else if (c == '"')
      out += "\\(dq";
    else
      out += c;
  }
  return out;
}

std::string bold(const std::string& text) {
  return "\\fB" + plain(text) + "\\fR";
}
std::string italic(const std::string& text) {
  return "\\fI" + plain(text) + "\\fR";
}

std::string upper(std::string text) {
  for (auto& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

std::string sentence(const std::string& text) {
  return plain(text) + (text.empty() || text.back() == '.' ? "" : ".");
}

std::string value_text(const OptionRow& row) {
  if (row.value.empty()) return {};
  return row.value_is_optional ? " [" + italic(row.value) + "]" : " " + italic(row.value);
}

std::string options_text(const std::vector<OptionRow>& rows) {
  std::string out;
  for (const auto& row : rows) {
    out += ".TP\n";
    for (std::size_t i = 0; i < row.names.size(); ++i)
      out += (i == 0 ? "" : ", ") + bold(row.names[i]);
    out += value_text(row) + "\n" + sentence(row.help);
    if (!row.by_default.empty()) out += " Default: " + plain(row.by_default) + ".";
    out += "\n";
  }
  return out;
}

std::string arguments_text(const std::vector<OptionRow>& rows) {
  std::string out;
  for (const auto& row : rows)
    out += " [" + italic(row.names.front()) + (row.repeatable ? " \\&..." : "") + "]";
  return out;
}

std::string methods_text() {
  std::string out;
  for (const auto& info : methods())
    out += ".TP\n" + bold(info.name) + "\n" + plain(info.title) + ": " + sentence(info.use) + "\n";
  return out;
}

}  // namespace

std::string manual_page(const std::vector<CommandRow>& table, const CommandRow& command,
                        const std::string& date) {
  const bool whole = command.name.empty();
  const auto page = whole ? std::string("fovea") : "fovea-" + command.name;
  auto out = ".TH " + upper(page) + " 1 " + date + " \"fovea " + build_info().version +
             "\" \"User Commands\"\n.SH NAME\n" + plain(page) + " \\- " + plain(command.help) +
             "\n.SH SYNOPSIS\n.B fovea";
  out += (whole ? "\n.I COMMAND" : " " + plain(command.name)) + "\n[\\fIOPTION\\fR \\&...]" +
         arguments_text(command.arguments) + "\n.SH DESCRIPTION\n";
  if (whole) {
    out += "Each command has a page of its own, and " + bold("--help") + ".\n";
    for (const auto& row : table)
      if (!row.name.empty())
        out += ".TP\n" + bold("fovea-" + row.name) + "(1)\n" + sentence(row.help) + "\n";
  } else {
    out += sentence(command.help) + "\n";
    for (const auto& row : command.arguments)
      out += ".TP\n" + italic(row.names.front()) + "\n" + sentence(row.help) + "\n";
  }
  out += ".SH OPTIONS\n" + options_text(command.options);
  if (!command.footer.empty()) out += ".SH NOTES\n" + plain(command.footer) + "\n";
  if (command.name == "explain") out += ".SH METHODS\n" + methods_text();
  out += ".SH EXIT STATUS\n";
  for (const auto& [status, meaning] : kStatus)
    out += ".TP\n" + bold(status) + "\n" + plain(meaning) + "\n";
  out += ".SH SEE ALSO\n";
  std::string others;
  for (const auto& row : table) {
    if (&row == &command || row.name == command.name) continue;
    others += (others.empty() ? "" : ",\n") +
              bold(row.name.empty() ? "fovea" : "fovea-" + row.name) + "(1)";
  }
  return out + others + "\n";
}

}  // namespace fovea::cli
