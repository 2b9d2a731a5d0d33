// SPDX-License-Identifier: GPL-3.0-or-later
#include "vault/key_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace syncline::vault {
namespace {

namespace fs = std::filesystem;

class KeyFileTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder); }
  void TearDown() override { fs::remove_all(folder); }
  KeyPlace file(const std::string& name) { return {KeyPlace::Kind::file, (folder / name).string(), -1}; }
  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream((folder / name).string()) << text;
    ::chmod((folder / name).c_str(), mode);
  }
  std::string code(const KeyPlace& place) {
    const auto keys = read_keys(place);
    return keys ? "read" : keys.error().code;
  }
  fs::path folder = fs::path(testing::TempDir()) / ("keys-" + system_random().uuid());
  SeededRandom random{7};
  const std::string one = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
};

TEST_F(KeyFileTest, WritesAFileForItsOwnerAloneAndReadsItBack) {
  const MasterKeys keys{MasterKey::generate(random), MasterKey::generate(random)};
  const KeyPlace place = file("new/folder/a.key");
  ASSERT_TRUE(write_keys(place, keys));
  struct stat about {};
  ASSERT_EQ(::stat(place.path.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat((folder / "new").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0700U);
  const auto read = read_keys(place);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->current.octets().reveal(), keys.current.octets().reveal());
  EXPECT_EQ(read->previous->number(), keys.previous->number());
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "new/folder"), fs::directory_iterator{}), 1);
}

TEST_F(KeyFileTest, AFileThatOthersMayReadIsRefused) {
  write("a.key", one);
  EXPECT_EQ(code(file("a.key")), "read");
  for (const mode_t mode : {0640, 0604, 0660, 0610, 0644}) {
    ::chmod((folder / "a.key").c_str(), mode);
    EXPECT_EQ(code(file("a.key")), "key-readable-by-others") << std::oct << mode;
  }
}

TEST_F(KeyFileTest, WhatIsNoKeyIsCalledThat) {
  const std::pair<const char*, std::string> bad[] = {
      {"empty", ""},         {"comment", "# nothing\n"}, {"short", "AAECAw==\n"},
      {"words", "secret\n"}, {"three", one + one + one}, {"large", std::string(5000, 'A')}};
  for (const auto& [name, text] : bad) {
    write(name, text);
    EXPECT_EQ(code(file(name)), "bad-key") << name;
  }
  EXPECT_EQ(code(file("nowhere")), "no-key");
  EXPECT_EQ(code(file("empty/below-a-file")), "no-key");
  EXPECT_EQ(code({KeyPlace::Kind::file, folder.string(), -1}), "bad-key");
}

TEST_F(KeyFileTest, ADescriptorIsReadOnceAndStaysOpen) {
  write("a.key", one);
  const int descriptor = ::open((folder / "a.key").c_str(), O_RDONLY | O_CLOEXEC);
  const auto place = find_key_place({"fd:" + std::to_string(descriptor), false, "/x"}, {});
  ASSERT_TRUE(place);
  EXPECT_EQ(code(*place), "read");
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), FD_CLOEXEC);
  ::close(descriptor);
  EXPECT_EQ(code(*place), "no-key");
  EXPECT_EQ(write_keys(*place, {MasterKey::generate(random)}).error().code, "key-not-writable");
  EXPECT_EQ(find_key_place({"fd:x", false, "/x"}, {}).error().code, "bad-key-option");
}

TEST_F(KeyFileTest, IsLookedForWhereTheInterfaceSays) {
  const auto path = [](KeyWish wish, const KeySurroundings& surroundings) {
    return find_key_place(wish, surroundings)->path;
  };
  EXPECT_EQ(path({"", false, "/data/contoso"}, {{}, "/cfg", "/home/a", false}), "/cfg/syncline/contoso.key");
  EXPECT_EQ(path({"", false, "/data/contoso/"}, {{}, {}, "/home/a", false}),
            "/home/a/.config/syncline/contoso.key");
  EXPECT_EQ(path({"", false, "/data/contoso"}, {{}, "/cfg", "/root", true}), "/etc/syncline/contoso.key");
  EXPECT_EQ(path({"/x.key", true, "/data/contoso"}, {}), "/x.key");
  EXPECT_EQ(path({"", true, "/data/contoso"}, {}), "/data/contoso/syncline.key");
  const KeySurroundings systemd{folder.string(), "/cfg", "/home/a", true};
  EXPECT_EQ(path({"", false, "/data/contoso"}, systemd), "/etc/syncline/contoso.key");
  write("syncline.key", one, 0440);
  EXPECT_EQ(path({"", false, "/data/contoso"}, systemd), (folder / "syncline.key").string());
  EXPECT_EQ(code(*find_key_place({"", false, "/data/contoso"}, systemd)), "read");
}

}  // namespace
}  // namespace syncline::vault
