#include "demo.hpp"

#include <filesystem>
#include <system_error>

namespace fovea::cli {

std::string demo_file(const std::string& name) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const auto program = fs::read_symlink("/proc/self/exe", failure);
  return (program.parent_path() / FOVEA_DEMO_FROM_PROGRAM / name).lexically_normal().string();
}

}  // namespace fovea::cli
