// SPDX-License-Identifier: GPL-3.0-or-later
// invariant 21 and a virtual day, against the test Exchange's own counting.
#include "exchange_fixture.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using testing::anna;
using testing::bert;

class TightLimits : public testing::ExchangeFixture {
 protected:
  TightLimits() : ExchangeFixture({.connections = 3, .sync_calls = 2, .hanging = 1, .service_time = 200ms}) {}
};

TEST_F(TightLimits, FortyFoldersSyncWithNoLimitErrorAfterTheFirstTenSeconds) {
  std::vector<std::string> folders;
  for (int i = 0; i < 40; ++i) {
    folders.push_back(service_.add_folder(anna, "inbox", "f" + std::to_string(i)).value());
    ASSERT_TRUE(
        service_.generate(anna, {.seed = 3, .messages = 20, .message_bytes = 500, .folder = folders.back()}));
  }
  std::size_t finished = 0;
  const auto sync = [&](std::string folder) -> net::asio::awaitable<void> {
    std::optional<std::string> state;
    for (int round = 0; round < 10;) {
      SyncFolderItemsRequest request{.folder = FolderId{.id = folder}, .sync_state = state};
      auto reply = co_await client_.call(std::move(request));
      if (!reply || !reply->messages.front().ok()) continue;  // a limit: the budget waits before the next
      state = reply->messages.front().value.sync_state;
      ++round;
    }
    ++finished;
  };
  for (const std::string& folder : folders) world_.spawn(sync(folder));
  const SystemTime start = world_.now();
  world_.run_for(10min);
  EXPECT_EQ(finished, folders.size());
  std::size_t refused = 0;
  for (const auto& entry : sim_->log().entries()) {
    if (entry.codes.empty()) continue;
    ++refused;
    EXPECT_LT(entry.time - start, 10s) << entry.codes.front();
  }
  EXPECT_GT(refused, 0u) << "the limits were never met: this test shows nothing";
}

class Connections : public testing::ExchangeFixture {};

TEST_F(Connections, TwoUsersOfOneHostNeverShareAConnection) {
  EwsClient other = make_client(bert);
  const auto work = [](EwsClient& client) -> net::asio::awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      GetFolderRequest request{.folders = {DistinguishedFolderId{.name = "inbox"}}};
      auto reply = co_await client.call(std::move(request));
      EXPECT_TRUE(reply && reply->messages.front().ok());
    }
  };
  for (int i = 0; i < 3; ++i) {
    world_.spawn(work(client_));
    world_.spawn(work(other));
  }
  world_.run_for(1min);
  std::map<std::uint64_t, std::set<std::string>> users;
  for (const auto& entry : sim_->log().entries()) {
    // The first request of a connection goes without a password, to be asked for one.
    if (!entry.authenticated_as.empty()) users[entry.connection].insert(entry.authenticated_as);
  }
  EXPECT_EQ(sim_->log().count_of("GetFolder"), 120u);
  EXPECT_LT(users.size(), 20u) << "connections are not kept";
  for (const auto& [connection, seen] : users) EXPECT_EQ(seen.size(), 1u) << "connection " << connection;
}

TEST_F(Connections, AVirtualDayOfPollingIsUnderASecondOfOurs) {
  std::size_t polls = 0;
  const auto poll = [&]() -> net::Async<std::size_t> {
    std::optional<std::string> state;
    const auto end = world_.now() + 24h;
    while (world_.now() < end) {
      SyncFolderItemsRequest request{.folder = DistinguishedFolderId{.name = "inbox"}, .sync_state = state};
      auto reply = co_await client_.call(std::move(request));
      if (!reply) co_return fail(reply.error());
      state = reply->messages.front().value.sync_state;
      ++polls;
      auto slept = co_await world_.sleep(5min);
      if (!slept) co_return fail(slept.error());
    }
    co_return polls;
  };
  ASSERT_TRUE(run(poll()));
  EXPECT_GE(world_.elapsed(), 24h);
  EXPECT_GE(polls, 285u);
}

TEST_F(Connections, TheServersVersionIsRemembered) {
  GetFolderRequest request{.folders = {DistinguishedFolderId{.name = "inbox"}}};
  ASSERT_TRUE(run(client_.call(std::move(request))));
  ASSERT_TRUE(client_.server_version());
  EXPECT_EQ(client_.server_version()->major, 15);
  EXPECT_EQ(client_.server_version()->minor, 2);
}

TEST_F(Connections, WrongPasswordIsAskedForOnceAndSaid) {
  ClientSettings settings = settings_of(anna);
  settings.authenticator =
      auth::make_basic({.user = anna, .password = Secret{std::string_view("wrong")}}).value();
  EwsClient wrong(world_.environment(), *http_, std::make_shared<CredentialBudgets>(world_.environment()),
                  settings);
  GetFolderRequest request{.folders = {DistinguishedFolderId{.name = "inbox"}}};
  const auto reply = run(wrong.call(std::move(request)));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().retry, RetryClass::reauthenticate);
  EXPECT_EQ(reply.error().describe().find("wrong"), std::string::npos);
}

}  // namespace
}  // namespace syncline::ews
