#include "sha256.hpp"

namespace fovea::cli {

void Digests::start(const std::string& file) {
  if (!found_.contains(file))
    found_.emplace(file,
                   std::async(std::launch::async, [file] { return sha256_of(file); }).share());
}

std::optional<std::string> Digests::of(const std::string& file) {
  start(file);
  return found_.at(file).get();
}

}  // namespace fovea::cli
