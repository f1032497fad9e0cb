#include "report.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

namespace fovea::quality {
namespace {

constexpr const char* kBegin = "<!-- localization:begin -->\n";
constexpr const char* kEnd = "<!-- localization:end -->\n";
constexpr const char* kNone = "–";

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0f", 100 * share);
  return text;
}

/// Questions put to a network: fewer than there are where time was short.
double asked(const Json& measured, const Json& network) {
  return measured.value("questions", network["questions"].get<double>());
}

/// Hits of `what` over some networks, in percent: one network that refuses makes it none.
std::string share_of(const Json& row, const Json& networks, const std::vector<std::string>& names,
                     const std::string& what) {
  double hits = 0, questions = 0;
  for (const auto& name : names) {
    if (!row.contains(name) || row[name].contains("refused")) return kNone;
    hits += row[name][what].get<double>();
    questions += asked(row[name], networks[name]);
  }
  return questions > 0 ? percent(hits / questions) : kNone;
}

struct Column {
  std::string title;
  std::vector<std::string> networks;
};

std::string cell_of(const Json& row, const Json& networks, const Column& column) {
  const auto points = share_of(row, networks, column.networks, "points");
  if (points == kNone) return kNone;
  double all = 0, put = 0;
  for (const auto& name : column.networks) {
    all += networks[name]["questions"].get<double>();
    put += asked(row[name], networks[name]);
  }
  return points + " / " + share_of(row, networks, column.networks, "boxed") +
         (put < all ? " of " + std::to_string(static_cast<int>(put)) : "");
}

std::string title_of(const std::string& method, const Json& row) {
  std::string options;
  for (const auto& [network, found] : row.items())
    if (options.empty() && found.contains("options"))
      for (const auto& [name, value] : found["options"].items())
        options +=
            (options.empty() ? "" : ", ") + name + " " + std::to_string(value.get<std::int64_t>());
  return method.front() == '(' ? method
                               : "`" + method + "`" + (options.empty() ? "" : " (" + options + ")");
}

}  // namespace

std::string table(const Json& results) {
  const Json& networks = results["networks"];
  std::vector<Column> columns;
  Column photos{"all photos", {}};
  for (const auto& [name, about] : networks.items())
    if (about["drawn"])
      columns.push_back({"`" + name + "`", {name}});
    else
      photos.networks.push_back(name);
  if (!photos.networks.empty()) columns.push_back(photos);
  for (const auto& name : photos.networks) columns.push_back({"`" + name + "`", {name}});
  std::string head = "| method |", line = "| --- |", counts = "| questions |";
  for (const auto& column : columns) {
    std::int64_t questions = 0;
    for (const auto& name : column.networks) questions += networks[name]["questions"].get<int>();
    head += " " + column.title + " |";
    line += " ---: |";
    counts += " " + std::to_string(questions) + " |";
  }
  std::string out = head + "\n" + line + "\n" + counts + "\n";
  for (const auto& [method, row] : results["methods"].items()) {
    out += "| " + title_of(method, row) + " |";
    for (const auto& column : columns) out += " " + cell_of(row, networks, column) + " |";
    out += "\n";
  }
  return out;
}

void write_into(const std::filesystem::path& document, const std::string& table) {
  std::ifstream in(document, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto begin = text.find(kBegin), end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    throw std::runtime_error(document.string() + " has no place for the table");
  std::ofstream to(document, std::ios::binary);
  to << text.substr(0, begin) << kBegin << table << text.substr(end);
  if (!to.flush()) throw std::runtime_error(document.string() + " cannot be written");
}

}  // namespace fovea::quality
