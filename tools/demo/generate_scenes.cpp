// fovea-demo-scenes: writes the demo's scenes with their truth.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "scene.hpp"

namespace {

namespace fs = std::filesystem;
using namespace fovea::demo;

constexpr std::string_view kUsage =
    "usage: fovea-demo-scenes --seed S --count N --out DIR [--format ppm|raw]\n"
    "       fovea-demo-scenes --labels\n"
    "\n"
    "Draws the scenes of seeds S .. S+N-1 into DIR:\n"
    "  ppm  scene_<seed>.ppm and scene_<seed>_owner.pgm for each, and scenes.json\n"
    "  raw  rgb.bin (u8 [N, height, width, 3]), owner.bin (u8 [N, height, width]), scenes.json\n"
    "--labels prints the class names, one a line.\n";

struct Usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Options {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  fs::path out;
  bool raw = false;
  bool labels = false;
};

std::uint64_t number(std::string_view flag, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw Usage(std::string(flag) + " wants a whole number, not '" + std::string(text) + "'");
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--labels") {
      options.labels = true;
      continue;
    }
    if (i + 1 == argc) throw Usage(std::string(flag) + ": unknown, or its value is missing");
    const std::string_view value = argv[++i];
    if (flag == "--seed") {
      options.seed = number(flag, value);
    } else if (flag == "--count") {
      options.count = number(flag, value);
    } else if (flag == "--out") {
      options.out = value;
    } else if (flag == "--format" && (value == "raw" || value == "ppm")) {
      options.raw = value == "raw";
    } else {
      throw Usage("do not know " + std::string(flag) + " " + std::string(value));
    }
  }
  if (options.labels) return options;
  if (options.out.empty()) throw Usage("--out is missing");
  if (options.count == 0) throw Usage("--count must be at least 1");
  return options;
}

// A file that takes its name only when it is whole.
class File {
 public:
  explicit File(fs::path path) : path_(std::move(path)), part_(path_) {
    part_ += ".part";
    stream_.open(part_, std::ios::binary | std::ios::trunc);
    if (!stream_) throw std::runtime_error("cannot write " + path_.string());
  }
  ~File() {
    std::error_code ignored;
    if (stream_.is_open()) fs::remove(part_, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(const std::vector<std::uint8_t>& bytes) {
    stream_.write(reinterpret_cast<const char*>(bytes.data()),
                  static_cast<std::streamsize>(bytes.size()));
  }
  std::ostream& text() { return stream_; }
  void finish() {
    stream_.flush();
    if (!stream_) throw std::runtime_error("cannot write " + path_.string());
    stream_.close();
    fs::rename(part_, path_);
  }

 private:
  fs::path path_, part_;
  std::ofstream stream_;
};

void describe(std::ostream& out, std::uint64_t seed, const Scene& scene) {
  out << "  {\"seed\": " << seed << ", \"width\": " << scene.width
      << ", \"height\": " << scene.height << ", \"objects\": [";
  const char* separator = "";
  for (const Object& object : scene.objects) {
    out << separator << "\n    {\"class\": " << object.cls << ", \"label\": \""
        << class_names()[static_cast<std::size_t>(object.cls)] << "\", \"box\": [" << object.box.x0
        << ", " << object.box.y0 << ", " << object.box.x1 << ", " << object.box.y1 << "]}";
    separator = ",";
  }
  out << "]}";
}

void write_picture(const fs::path& path, const char* kind, const Scene& scene,
                   const std::vector<std::uint8_t>& bytes) {
  File file(path);
  file.text() << kind << "\n" << scene.width << " " << scene.height << "\n255\n";
  file.write(bytes);
  file.finish();
}

void generate(const Options& options) {
  fs::create_directories(options.out);
  File truth(options.out / "scenes.json");
  std::optional<File> rgb, owner;
  if (options.raw) {
    rgb.emplace(options.out / "rgb.bin");
    owner.emplace(options.out / "owner.bin");
  }
  truth.text() << "[\n";
  for (std::uint64_t i = 0; i < options.count; ++i) {
    const std::uint64_t seed = options.seed + i;
    const Scene scene = draw_scene(seed);
    if (i > 0) truth.text() << ",\n";
    describe(truth.text(), seed, scene);
    if (options.raw) {
      rgb->write(scene.rgb);
      owner->write(scene.owner);
    } else {
      const std::string name = "scene_" + std::to_string(seed);
      write_picture(options.out / (name + ".ppm"), "P6", scene, scene.rgb);
      write_picture(options.out / (name + "_owner.pgm"), "P5", scene, scene.owner);
    }
  }
  truth.text() << "\n]\n";
  if (options.raw) {
    rgb->finish();
    owner->finish();
  }
  truth.finish();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse(argc, argv);
    if (options.labels)
      for (const std::string& name : class_names()) std::cout << name << "\n";
    else
      generate(options);
    return 0;
  } catch (const Usage& error) {
    std::cerr << "fovea-demo-scenes: " << error.what() << "\n" << kUsage;
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "fovea-demo-scenes: " << error.what() << "\n";
    return 1;
  }
}
