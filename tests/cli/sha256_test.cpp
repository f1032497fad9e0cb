#include "sha256.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "program.hpp"

namespace fovea::cli {
namespace {

using cli_test::run_command;
using cli_test::Scratch;
using cli_test::write_file;

TEST(Sha256, IsTheStandards) {  // FIPS 180-4's examples
  const Scratch scratch;
  write_file(scratch / "abc", "abc");
  write_file(scratch / "empty", "");
  EXPECT_EQ(sha256_of(scratch / "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of(scratch / "empty"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, OfALargeFileIsCoreutils) {
  const Scratch scratch;
  for (const std::size_t size : {std::size_t{1} << 20, (std::size_t{3} << 20) + 17}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * i >> 7);
    write_file(scratch / "large", bytes);
    const auto theirs = run_command({"sha256sum", "large"}, scratch.path());
    ASSERT_EQ(theirs.status, 0);
    EXPECT_EQ(sha256_of(scratch / "large"), theirs.out.substr(0, 64));
  }
}

TEST(Sha256, IsOfFilesOnly) {
  const Scratch scratch;
  ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(sha256_of(scratch / "none"), std::nullopt);
  EXPECT_EQ(sha256_of(scratch / "pipe"), std::nullopt) << "a pipe's bytes can be read but once";
  EXPECT_EQ(sha256_of(scratch.path().string()), std::nullopt);
}

TEST(Digests, AreTakenOnce) {
  const Scratch scratch;
  write_file(scratch / "a", "abc");
  Digests digests;
  digests.start(scratch / "a");
  const auto first = digests.of(scratch / "a");
  EXPECT_EQ(first, sha256_of(scratch / "a"));
  write_file(scratch / "a", "other");
  EXPECT_EQ(digests.of(scratch / "a"), first);
  EXPECT_EQ(digests.of(scratch / "none"), std::nullopt);
}

}  // namespace
}  // namespace fovea::cli
