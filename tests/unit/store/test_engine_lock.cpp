// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/engine_lock.hpp"

#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

class Engine : public StoreTest {
 protected:
  std::string pid_in_file() {
    std::ifstream in(folder_ + "/engine.lock");
    std::string pid;
    in >> pid;
    return pid;
  }
};

TEST_F(Engine, Invariant24IsOneAndTheSecondIsToldWhoItIs) {
  auto lock = EngineLock::take(folder_);
  ASSERT_TRUE(lock) << lock.error().describe();
  EXPECT_EQ(pid_in_file(), std::to_string(::getpid()));
  const std::string who = std::to_string(::getpid());
  const int status = in_child([&] {
    auto second = EngineLock::take(folder_);
    if (code_of(second) != "engine-running") return 1;
    return second.error().message.find("process " + who) == std::string::npos ? 2 : 0;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(code_of(EngineLock::take(folder_)), "engine-running") << "within one process, too";
}

TEST_F(Engine, Invariant24EndsWithItsLockOrItsProcess) {
  {
    auto lock = EngineLock::take(folder_);
    ASSERT_TRUE(lock);
    const EngineLock moved = std::move(*lock);
    EXPECT_EQ(code_of(EngineLock::take(folder_)), "engine-running");
  }
  EXPECT_EQ(pid_in_file(), "");
  const int status = in_child([&]() -> int {
    auto lock = EngineLock::take(folder_);
    if (lock) ::kill(::getpid(), SIGKILL);
    return 1;
  });
  EXPECT_EQ(status, 128 + SIGKILL);
  EXPECT_NE(pid_in_file(), "") << "what a killed engine left";
  EXPECT_TRUE(EngineLock::take(folder_));
}

TEST_F(Engine, Invariant24LeavesOtherCommandsTheirShortTransactions) {
  auto lock = EngineLock::take(folder_);
  ASSERT_TRUE(lock);
  const int status = in_child([&] {
    auto beside = Store::open(folder_, clock_, random_);
    if (!beside) return 1;
    auto written = (*beside)->write<bool>([](Transaction& t) -> Result<bool> {
      if (auto put = put_setting(t, "from", "beside"); !put) return fail(put.error());
      return true;
    });
    return written ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "from"); }),
            "beside");
}

TEST_F(Engine, LockFileIsForItsOwnerAndAMissingFolderIsSaid) {
  auto lock = EngineLock::take(folder_);
  struct stat status {};
  ASSERT_EQ(::stat((folder_ + "/engine.lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(code_of(EngineLock::take(base_ + "/nowhere")), "io");
}

}  // namespace
}  // namespace syncline::store
