// SPDX-License-Identifier: GPL-3.0-or-later
// Pages go to the disk on a thread of their own while the next is read.
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>
#include <thread>

#include "auth/blocking_pool.hpp"
#include "organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;

void fill(MemoryServer& server, int from, int to) {
  for (int i = from; i < to; ++i) {
    server.add("inbox", {{"subject", "Message " + std::to_string(i)},
                         {"internetMessageId", "<" + std::to_string(i) + "@x>"},
                         {"from", {{"emailAddress", "bert@example.com"}}},
                         {"dateTimeReceived", "2026-01-05T08:00:00Z"},
                         {"body", {{"type", "text"}, {"value", std::string(3000, 'x')}}}});
    server.add("contacts", {{"givenName", "Marta " + std::to_string(i)}});
  }
}

/// What three runs leave behind, the mailbox changing between them.
std::string play(auth::BlockingPool* disk) {
  ManualClock clock;
  MemoryServer server(clock, "anna@example.com");
  server.page_size = 40;
  Organisation organisation(clock, server);
  organisation.options.first_page_items = 4;
  if (disk != nullptr)
    organisation.aside = [disk](std::function<Result<void>()> work) {
      return disk->run_to_its_end(std::move(work));
    };
  fill(server, 0, 400);
  organisation.must_run();
  for (int i = 1; i < 200; i += 3) server.edit("inbox/" + std::to_string(2 * i - 1), {{"isRead", true}});
  for (int i = 2; i < 60; i += 3) server.remove("inbox/" + std::to_string(2 * i - 1));
  fill(server, 400, 500);
  organisation.must_run();
  server.invalidate_cursors();
  organisation.must_run();
  EXPECT_EQ(organisation.must_run().pages, 0U);
  return organisation.dump();
}

TEST(ReadAhead, onAThreadEndsAsPagesOneAfterTheOther) {
  auth::BlockingPool disk(1);
  const std::string beside = play(&disk);
  EXPECT_EQ(beside, play(nullptr));
  EXPECT_GT(beside.size(), 100'000U);
}

/// Stands still at the second commit until it is let go.
class HoldCommit final : public store::DurableWrites {
 public:
  Result<void> before(std::string_view) override {
    if (++seen_ == 2) {
      reached.set_value();
      let_go.get_future().wait();
    }
    return {};
  }
  Result<void> after(std::string_view) override {
    ++done;
    return {};
  }
  std::promise<void> reached;
  std::promise<void> let_go;
  int done = 0;

 private:
  int seen_ = 0;
};

TEST(ReadAhead, aRunThatIsDroppedWaitsForItsCommit) {
  ManualClock clock;
  MemoryServer server(clock, "anna@example.com");
  Organisation organisation(clock, server);
  fill(server, 0, 50);
  organisation.options.first_page_items = 4;
  HoldCommit hold;
  organisation.reopen(&hold);
  auth::BlockingPool disk(1);
  std::thread later;
  {
    boost::asio::io_context context;
    MemoryDriver driver(server, clock, {});
    SeededRandom random(1);
    const Surroundings surroundings{
        .clock = clock,
        .random = random,
        .sleep = [](std::chrono::milliseconds) -> Async<void> { co_return Result<void>{}; },
        .aside = [&](std::function<Result<void>()> work) { return disk.run_to_its_end(std::move(work)); }};
    boost::asio::co_spawn(context,
                          run_mailbox(surroundings, organisation.store(), organisation.content(), driver,
                                      organisation.settings, organisation.options),
                          boost::asio::detached);
    auto reached = hold.reached.get_future();
    while (reached.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.poll();
    later = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      hold.let_go.set_value();
    });
  }
  // The run and all that the commit refers to are gone by now.
  EXPECT_GE(hold.done, 2);
  later.join();
  organisation.reopen();
  EXPECT_FALSE(organisation.records(RecordKind::email).empty());
  organisation.must_run();
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 50U);
  EXPECT_EQ(organisation.records(RecordKind::contact).size(), 50U);
}

}  // namespace
}  // namespace syncline::sync::testing
