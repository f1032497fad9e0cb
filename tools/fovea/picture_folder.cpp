#include "picture_folder.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "outputs.hpp"
#include "session.hpp"
#include "text.hpp"

namespace fovea::cli {

namespace fs = std::filesystem;

namespace {

bool may_be_listed(const fs::path& folder) {
  return ::access(folder.c_str(), R_OK | X_OK) == 0;
}

}  // namespace

std::vector<std::string> pictures_in(const std::string& folder,
                                     std::vector<std::string>* unreadable) {
  const auto refuse = [&](const std::string& sentence) {
    throw Error(ErrorCode::bad_input, sentence, {.file = folder, .node = {}, .op = {}});
  };
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) refuse("there is no such folder of images");
  if (!may_be_listed(folder)) refuse("the folder of images cannot be read");
  std::vector<std::string> out;
  // What is read beside what is written.
  std::vector<std::string_view> known = {".tif", ".tiff"};
  known.insert(known.end(), picture_extensions().begin(), picture_extensions().end());
  auto at = fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied,
                                             failure);
  for (; !failure && at != fs::recursive_directory_iterator(); at.increment(failure)) {
    const auto extension = lower(at->path().extension().string());
    std::error_code unknown;
    const auto status = fs::status(at->path(), unknown);
    if (unreadable != nullptr && at->is_directory(unknown) && !may_be_listed(at->path()))
      unreadable->push_back(at->path().lexically_relative(folder).generic_string());
    // A link to nowhere is warned of; a pipe would be waited for.
    if (std::find(known.begin(), known.end(), extension) == known.end() ||
        (fs::exists(status) && !fs::is_regular_file(status)))
      continue;
    out.push_back(at->path().lexically_relative(folder).generic_string());
  }
  if (failure) refuse("the folder of images cannot be read");
  if (out.empty()) refuse("the folder holds no images (.png .jpg .jpeg .bmp .webp .tif .tiff)");
  std::sort(out.begin(), out.end());
  return out;
}

bool is_unreadable(const Error& error) {
  return error.code() == ErrorCode::bad_input;
}

Session open_at_first(Asked asked, const std::string& folder, const std::vector<std::string>& names,
                      std::size_t& first, std::vector<std::string>& warnings) {
  for (;; ++first) {
    if (first == names.size())
      throw Error(ErrorCode::bad_input, "none of the folder's images can be read",
                  {.file = folder, .node = {}, .op = {}});
    const auto file = (fs::path(folder) / names[first]).string();
    try {
      static_cast<void>(read_image(file));
      asked.request.image = RequestFile{file};
      return open_session(asked, false);
    } catch (const Error& error) {
      if (!is_unreadable(error)) throw;
      warnings.emplace_back(error.what());
    }
  }
}

}  // namespace fovea::cli
