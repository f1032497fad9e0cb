#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/export.hpp"
#include "fovea/model.hpp"
#include "fovea/task.hpp"

/// Tasks as JSON: beside a model, or in its metadata. docs/tasks.md describes the members.
namespace fovea {

/// One line of JSON with every member that differs from the decoder's own.
FOVEA_API std::string to_json(const Task& task);

/// The other way round: {"task": "yolox", ...}, where what is left out is the decoder's. Names may
/// be in a file ("names_file", "words_file"), which lies in `folder`. Throws Error invalid_argument
/// naming `name` and the member that is unknown, of the wrong kind or out of range; bad_input for a
/// file of names that cannot be read.
FOVEA_API Task task_from_json(std::string_view json, const std::string& name = "task",
                              const std::filesystem::path& folder = {});
/// The same from a file, beside which files of names lie.
FOVEA_API Task read_task(const std::filesystem::path& file);

/// The task that the model brings: "fovea.task" of its metadata, else a file beside it, of its name
/// with ".task.json" in place of ".onnx"; of a model that `joined` made, beside either file. None
/// where there is none. Throws as above.
FOVEA_API std::optional<Task> task_of_model(const Model& model);

/// Names as a file lists them: one a line, as parse_labels reads them; of a reader of text (ctc)
/// characters, one a line, where a line may be a space, or all of them in one line. Blank lines at
/// the end do not count.
FOVEA_API std::vector<std::string> names_in(const Task& task, std::string_view text);

}  // namespace fovea
