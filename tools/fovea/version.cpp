#include "fovea/version.hpp"

#include <nlohmann/json.hpp>

#include "json_output.hpp"
#include "outputs.hpp"
#include "subcommands.hpp"
#include "text.hpp"

namespace fovea::cli {
void show_version(const std::string& file) {
  const auto info = build_info();
  const std::string text =
      "fovea         " + info.version + " (" + info.compiler + ")\n" + "oneDNN        " +
      info.onednn + ", up to " + info.onednn_isa + "\n" + "kernels       " + info.simd + "\n" +  //
      "CPU           " + joined(info.instruction_sets, " ") + "\n" + "bf16          " +
      (info.bf16 ? "yes" : "no") + "\n" + "threads       " + std::to_string(info.threads) + "\n";
  const Json json = {{"version", info.version},
                     {"onednn", info.onednn},
                     {"compiler", info.compiler},
                     {"simd", info.simd},
                     {"onednn_isa", info.onednn_isa},
                     {"instruction_sets", info.instruction_sets},
                     {"bf16", info.bf16},
                     {"threads", info.threads}};
  write_result(file, text, json_text(json));
}

}  // namespace fovea::cli
