// Every failure: the exit status, one line that names what is wrong, and no file left behind.
#include <functional>
#include <ostream>

#include "colours.hpp"

namespace fovea::cli_test {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

struct Case {
  std::string name;
  int status;
  Words arguments;
  Words said;  // what the line must name
  std::function<void(const Scratch&)> prepare = {};
};

void PrintTo(const Case& test, std::ostream* stream) {
  *stream << test.name;
}

std::string model_bytes() {
  return read_file(fixture("colours"));
}

Words explain(const std::string& model, Words extra) {
  extra.insert(extra.begin(), {"explain", "--model", model, "--output", "out.png", "--map",
                               "map.npy", "--json", "out.json"});
  return extra;
}

Words on_photo(Words extra) {
  extra.insert(extra.begin(), {"--image", "photo.png"});
  return explain(fixture("colours"), std::move(extra));
}

Words on_tensor(Words extra) {
  extra.insert(extra.begin(), {"--input", "x.npy"});
  return explain(fixture("colours"), std::move(extra));
}

// A header that claims 0 x 0 pixels.
std::string empty_bmp() {
  std::string bytes(54, '\0');
  bytes.replace(0, 2, "BM");
  bytes[2] = 54;
  bytes[10] = 54;
  bytes[14] = 40;
  bytes[26] = 1;
  bytes[28] = 24;
  return bytes;
}

std::function<void(const Scratch&)> file(const std::string& name, const std::string& bytes) {
  return [=](const Scratch& scratch) { write_file(scratch / name, bytes); };
}

std::string picture(const std::string& extension, double share) {
  const auto bytes = encode_image(red_and_blue(200, 150), extension);
  const auto kept = static_cast<std::size_t>(static_cast<double>(bytes.size()) * share);
  return {reinterpret_cast<const char*>(bytes.data()), kept};
}

std::vector<Case> models() {
  return {
      {"MissingModel", 3, explain("none.onnx", {"--image", "photo.png"}), {"none.onnx"}},
      {"ModelIsAFolder", 3, explain(".", {"--image", "photo.png"}), {"."}},
      {"ModelIsText",
       3,
       explain("m.onnx", {"--image", "photo.png"}),
       {"m.onnx"},
       file("m.onnx", "hello, I am no model\n")},
      {"ModelIsEmpty",
       3,
       explain("m.onnx", {"--image", "photo.png"}),
       {"m.onnx"},
       file("m.onnx", "")},
      {"ModelIsCutInHalf",
       3,
       explain("m.onnx", {"--image", "photo.png"}),
       {"m.onnx"},
       file("m.onnx", model_bytes().substr(0, model_bytes().size() / 2))},
      {"ModelIsCutNearItsEnd",
       3,
       explain("m.onnx", {"--image", "photo.png"}),
       {"m.onnx"},
       file("m.onnx", model_bytes().substr(0, model_bytes().size() - 3))},
      {"UnknownOperator",
       5,
       explain(fixture("unknown_op"), {"--image", "photo.png"}),
       {"unknown_op.onnx", "Frobnicate", "strange"}},
      {"NoImageInput",
       3,
       explain(fixture("no_image"), {"--image", "photo.png"}),
       {"no_image.onnx", "row", "1 x 10"}},
      {"RecipeInTheModelIsWrong",
       3,
       explain(fixture("bad_recipe"), {"--image", "photo.png"}),
       {"bad_recipe.onnx", "colour"}},
      {"OpenExtents",
       2,
       explain(fixture("open_extents"), {"--image", "photo.png"}),
       {"--input-shape data=1,3"}},
      {"FixedBatch", 2, explain(fixture("pair"), {"--image", "photo.png"}), {"2 images"}},
      {"InputIsMissing", 2, explain(fixture("two_inputs"), {"--image", "photo.png"}), {"gain"}},
      {"WhichInput", 2, explain(fixture("two_inputs"), {"--input", "x.npy"}), {"photo", "gain"}},
      {"NothingToExplain",
       2,
       {"explain", "--model", fixture("no_image"), "--input", "row.npy", "--map", "map.npy"},
       {"no_image.onnx"},
       [](const Scratch& scratch) {
         write_npy(scratch / "row.npy", {{1, 10}, std::vector<float>(10)});
       }},
  };
}

std::vector<Case> photos() {
  const auto with = [](const std::string& name) {
    return explain(fixture("colours"), {"--image", name});
  };
  return {
      {"MissingPhoto", 4, with("none.jpg"), {"none.jpg"}},
      {"PhotoIsAFolder", 4, with("."), {"."}},
      {"PhotoIsEmpty", 4, with("p.png"), {"p.png"}, file("p.png", "")},
      {"PhotoIsText", 4, with("p.jpg"), {"p.jpg"}, file("p.jpg", "hello, I am no picture\n")},
      {"PhotoOfNoSize", 4, with("p.bmp"), {"p.bmp"}, file("p.bmp", empty_bmp())},
      {"JpegCutInHalf", 4, with("p.jpg"), {"p.jpg"}, file("p.jpg", picture(".jpg", 0.5))},
      {"JpegCutToATenth", 4, with("p.jpg"), {"p.jpg"}, file("p.jpg", picture(".jpg", 0.1))},
      {"PngCutInHalf", 4, with("p.png"), {"p.png"}, file("p.png", picture(".png", 0.5))},
      {"WebpCutInHalf", 4, with("p.webp"), {"p.webp"}, file("p.webp", picture(".webp", 0.5))},
      {"BmpCutInHalf", 4, with("p.bmp"), {"p.bmp"}, file("p.bmp", picture(".bmp", 0.5))},
  };
}

std::vector<Case> tensors() {
  const auto with = [](const std::string& name) {
    return explain(fixture("colours"), {"--input", name});
  };
  const auto shaped = [](const Shape& shape, std::size_t count) {
    return [=](const Scratch& scratch) {
      write_npy(scratch / "t.npy", {shape, std::vector<float>(count)});
    };
  };
  return {
      {"MissingTensor", 4, with("none.npy"), {"none.npy"}},
      {"TensorIsText", 4, with("t.npy"), {"t.npy"}, file("t.npy", "1 2 3\n")},
      {"TensorIsCut",
       4,
       with("t.npy"),
       {"t.npy"},
       [](const Scratch& scratch) {
         write_npy(scratch / "t.npy", some_colours());
         fs::resize_file(scratch / "t.npy", 1000);
       }},
      {"TensorOfAnotherShape",
       4,
       with("t.npy"),
       {"t.npy", "? x 3 x 16 x 16", "1 x 3 x 8 x 16"},
       shaped({1, 3, 8, 16}, 384)},
      {"TensorOfAnotherRank", 4, with("t.npy"), {"t.npy", "3 x 16 x 16"}, shaped({3, 16, 16}, 768)},
      {"TensorOfAnotherBatch",
       4,
       explain(fixture("pair"), {"--input", "t.npy"}),
       {"t.npy"},
       shaped({1, 3, 16, 16}, 768)},
      {"UnknownInput", 2, with("photo=x.npy"), {"photo", "data"}},
      {"InputTwice",
       2,
       explain(fixture("colours"), {"--input", "x.npy", "--input", "x.npy"}),
       {"data"}},
      {"RecipeForATensor", 2, on_tensor({"--preprocess", "raw"}), {"--preprocess"}},
  };
}

std::vector<Case> usage() {
  return {
      {"UnknownLayer", 2, on_photo({"--layer", "featured"}), {"featured", "'features'"}},
      {"LayerThatIsNoMap", 2, on_photo({"--layer", "flat"}), {"flat"}},
      {"TokenGridThatIsNone", 2, on_photo({"--token-grid", "14by14"}), {"'14by14'", "like 14x14"}},
      {"TokenGridThatEnds", 2, on_photo({"--token-grid", "14x"}), {"'14x'", "like 14x14"}},
      {"TokenGridOfAMap", 2, on_photo({"--token-grid", "4x4"}), {"no sequence of tokens"}},
      {"MemoryLimitTooSmall", 1, on_photo({"--memory-limit", "1KiB"}), {"memory_limit"}},
      {"MemoryLimitThatIsNone", 2, on_photo({"--memory-limit", "much"}), {"--memory-limit"}},
      {"PrefixTokensBelowNone", 2, on_photo({"--prefix-tokens", "-1"}), {"--prefix-tokens"}},
      {"ClassOutOfRange", 2, on_photo({"--class", "3"}), {"class 3", "0 to 2"}},
      {"NegativeClass", 2, on_photo({"--class", "-1"}), {"class -1"}},
      {"HugeClass",
       2,
       on_photo({"--class", "99999999999999999999"}),
       {"--class", "99999999999999999999"}},
      {"ClassIsNoNumber", 2, on_photo({"--class", "cat"}), {"cat"}},
      {"TopOutOfRange", 2, on_photo({"--top", "4"}), {"--top 4"}},
      {"TopOfNone", 2, on_photo({"--top", "0"}), {"--top"}},
      {"ClassAndTop", 2, on_photo({"--class", "1", "--top", "2"}), {"--class", "--top"}},
      {"LabelWithoutLabels", 2, on_photo({"--label", "red"}), {"--labels"}},
      {"UnknownLabel",
       2,
       on_photo({"--label", "rad", "--labels", "labels.txt"}),
       {"rad", "'red'"},
       file("labels.txt", "red\ngreen\nblue\n")},
      {"AmbiguousLabel",
       2,
       on_photo({"--label", "re", "--labels", "labels.txt"}),
       {"red", "green"},
       file("labels.txt", "red\ngreen\nblue\n")},
      {"LabelBeyondTheClasses",
       2,
       on_photo({"--label", "cyan", "--labels", "labels.txt"}),
       {"class 3"},
       file("labels.txt", "red\ngreen\nblue\ncyan\n")},
      {"MissingLabels", 2, on_photo({"--labels", "none.txt"}), {"none.txt"}},
      {"EmptyLabels",
       2,
       on_photo({"--labels", "labels.txt"}),
       {"labels.txt"},
       file("labels.txt", "\n\n")},
      {"UnknownMethod", 2, on_photo({"--method", "gradcamm"}), {"gradcamm", "gradcam, "}},
      {"APhotoForAnInputThatHasItsTensor",
       2,
       on_photo({"--input", "x.npy"}),
       {"none is left for --image"},
       [](const Scratch& scratch) { write_npy(scratch / "x.npy", some_colours()); }},
      {"RuleOfAMethodWithoutRules", 2, on_photo({"--rule", "relu=epsilon"}), {"--rule"}},
      {"UnknownRecipe", 2, on_photo({"--preprocess", "torch"}), {"torch", "imagenet"}},
      {"UnknownRecipeKey", 2, on_photo({"--preprocess", R"({"colour": "RGB"})"}), {"colour"}},
      {"RecipeIsNoJson", 2, on_photo({"--preprocess", R"({"order")"}), {"JSON"}},
      {"RecipeIsMissing", 2, on_photo({"--preprocess", "none.json"}), {"none.json"}},
      {"UnknownOutputName", 2, on_photo({"--output-name", "scores2"}), {"scores2"}},
      {"UnknownShapeName", 2, on_photo({"--input-shape", "x=1,3,16,16"}), {"data"}},
      {"ShapeDoesNotFit", 2, on_photo({"--input-shape", "data=1,3,8,8"}), {"? x 3 x 16 x 16"}},
      {"ShapeIsNoShape", 2, on_photo({"--input-shape", "data=1,3,a"}), {"data=1,3,a"}},
      {"AlphaOutOfRange", 2, on_photo({"--alpha", "1.5"}), {"--alpha"}},
      {"BoxOfTheWholeShare", 2, on_photo({"--box", "1"}), {"--box"}},
      {"BoxOfANegativeShare", 2, on_photo({"--box=-0.1"}), {"--box"}},
      {"BoxOfNoNumber", 2, on_photo({"--box", "nan"}), {"--box"}},
      {"AlphaIsNoNumber", 2, on_photo({"--alpha", "nan"}), {"--alpha"}},
      {"ThreadsOutOfRange", 2, on_photo({"--threads", "-1"}), {"--threads"}},
      {"UnknownPrecision", 2, on_photo({"--precision", "int8"}), {"--precision"}},
      {"UnknownColormap", 2, on_photo({"--colormap", "hot"}), {"--colormap"}},
      {"UnknownOption", 2, on_photo({"--frobnicate"}), {"--frobnicate"}},
      {"UnknownCommand", 2, {"explian"}, {"explian", "'explain'"}},
      {"NoCommand", 2, {}, {"subcommand"}},
  };
}

std::vector<Case> outputs() {
  const auto to = [](Words extra) {
    extra.insert(extra.begin(), {"explain", "--model", fixture("colours"), "--image", "photo.png"});
    return extra;
  };
  return {
      {"UnknownPictureExtension", 2, to({"--output", "out.gif"}), {"out.gif", ".png"}},
      {"UnknownTensorExtension", 2, to({"--map", "map.txt"}), {"map.txt", ".npy"}},
      {"NoSuchFolder", 2, to({"--output", "none/out.png"}), {"none/out.png"}},
      {"OutputIsAFolder",
       2,
       to({"--output", "dir.png"}),
       {"dir.png"},
       [](const Scratch& scratch) { fs::create_directory(scratch / "dir.png"); }},
      {"OutputIsTheInput", 2, to({"--output", "photo.png"}), {"photo.png"}},
      {"OutputTwice", 2, to({"--output", "o.png", "--heatmap", "./o.png"}), {"o.png"}},
      {"FolderOfTheLastOutput",
       2,
       to({"--output", "o.png", "--json", "none/out.json"}),
       {"none/out.json"}},
      {"OneOfSeveralIsAFolder",
       2,
       to({"--output", "o.png", "--top", "2"}),
       {"o-2.png"},
       [](const Scratch& scratch) { fs::create_directory(scratch / "o-2.png"); }},
      {"StandardOutputIsFull",
       1,
       {"sh", "-c",
        "fovea explain --model '" + fixture("colours") +
            "' --image photo.png --output o.png --json - > /dev/full"},
       {"standard output"}},
  };
}

class BadInput : public testing::TestWithParam<Case> {};

Words bench(Words extra, const std::string& model = fixture("colours")) {
  extra.insert(extra.begin(), {"bench", "--model", model});
  return extra;
}

std::vector<Case> benches() {
  return {
      {"NoModel", 3, bench({}, "none.onnx"), {"none.onnx"}},
      {"UnknownOperator", 5, bench({}, fixture("unknown_op")), {"Frobnicate"}},
      {"UnknownMethod", 2, bench({"--method", "magic"}), {"magic", "gradcam"}},
      {"UnknownLayer", 2, bench({"--layer", "feature"}), {"'feature'", "features"}},
      {"NoLayer", 2, bench({}, fixture("no_image")), {"no_image.onnx", "no layer"}},
      {"OpenExtents", 2, bench({}, fixture("open_extents")), {"open_extents.onnx", "data"}},
      {"FixedBatch", 2, bench({"--batch", "2"}, fixture("labelled")), {"--batch 2", "at 1"}},
      {"BatchAndShape",
       2,
       bench({"--batch", "2", "--input-shape", "data=3,3,16,16"}),
       {"--input-shape", "at 3"}},
      {"NoBatch", 2, bench({"--batch", "0"}), {"--batch"}},
      {"NoRuns", 2, bench({"--runs", "0"}), {"--runs"}},
      {"NoTime", 2, bench({"--seconds", "0"}), {"--seconds"}},
      {"RunsAndTime", 2, bench({"--runs", "3", "--seconds", "1"}), {"--runs", "--seconds"}},
      {"WorkersAndThreads", 2, bench({"--workers", "2", "--threads", "2"}), {"--workers"}},
      {"WorkersAndLayers", 2, bench({"--workers", "2", "--layers"}), {"--workers"}},
      {"UnknownPrecision", 2, bench({"--precision", "f8"}), {"--precision"}},
      {"JsonNowhere", 2, bench({"--json", "none/out.json"}), {"none/out.json"}},
      {"OneFileForTwo", 2, bench({"--plan-cache", "a", "--json", "a"}), {"same file name"}},
      {"PlanCacheOverTheModel",
       2,
       bench({"--plan-cache", "m.onnx"}, "m.onnx"),
       {"m.onnx", "overwrite"},
       file("m.onnx", model_bytes())},
      {"JsonOverTheModel",
       2,
       bench({"--json=m.onnx"}, "m.onnx"),
       {"m.onnx", "overwrite"},
       file("m.onnx", model_bytes())},
  };
}

TEST_P(BadInput, IsRefusedWithoutATrace) {
  const auto& test = GetParam();
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(40, 30));
  write_npy(scratch / "x.npy", some_colours());
  if (test.prepare) test.prepare(scratch);
  const auto before = scratch.names();
  const bool shell = !test.arguments.empty() && test.arguments.front() == "sh";
  const auto outcome =
      shell ? run_command(test.arguments, scratch.path()) : scratch.fovea(test.arguments);
  EXPECT_EQ(outcome.status, test.status) << outcome.err;
  EXPECT_EQ(outcome.out, "");
  ASSERT_FALSE(outcome.err.empty());
  EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1) << outcome.err;
  EXPECT_EQ(outcome.err.rfind("fovea: error: ", 0), 0U) << outcome.err;
  for (const auto& word : test.said)
    EXPECT_NE(outcome.err.find(word), std::string::npos) << word << " in: " << outcome.err;
  EXPECT_EQ(scratch.names(), before);
}

std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Models, BadInput, testing::ValuesIn(models()), name_of);
INSTANTIATE_TEST_SUITE_P(Photos, BadInput, testing::ValuesIn(photos()), name_of);
INSTANTIATE_TEST_SUITE_P(Tensors, BadInput, testing::ValuesIn(tensors()), name_of);
INSTANTIATE_TEST_SUITE_P(Usage, BadInput, testing::ValuesIn(usage()), name_of);
INSTANTIATE_TEST_SUITE_P(Benches, BadInput, testing::ValuesIn(benches()), name_of);
INSTANTIATE_TEST_SUITE_P(Outputs, BadInput, testing::ValuesIn(outputs()), name_of);

TEST(BadInputs, TheFirstCutsOfAModelAreAllRefused) {
  const Scratch scratch;
  const auto bytes = model_bytes();
  for (std::size_t size = 0; size < bytes.size(); size += 29) {
    write_file(scratch / "m.onnx", bytes.substr(0, size));
    const auto outcome = scratch.fovea({"inspect", "--model", "m.onnx"});
    EXPECT_EQ(outcome.status, 3) << size << ": " << outcome.out << outcome.err;
  }
}

TEST(BadInputs, TheOlderOutputSurvivesAFailure) {
  const Scratch scratch;
  write_file(scratch / "out.png", "older");
  const auto outcome = scratch.fovea(
      {"explain", "--model", fixture("colours"), "--image", "none.png", "--output", "out.png"});
  EXPECT_EQ(outcome.status, 4);
  EXPECT_EQ(read_file(scratch / "out.png"), "older");
}

TEST(BadInputs, AFileLargerThanAllowedLeavesNothing) {
  const Scratch scratch;
  write_image(scratch / "photo.png", red_and_blue(60, 40));
  const auto outcome = run_command({"sh", "-c",
                                    "ulimit -f 1; fovea explain --model '" + fixture("colours") +
                                        "' --image photo.png --map m.npy"},
                                   scratch.path());
  EXPECT_EQ(outcome.status, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("m.npy"), std::string::npos) << outcome.err;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path()))
    EXPECT_EQ(entry.path().filename(), "photo.png");
}

}  // namespace
}  // namespace fovea::cli_test
