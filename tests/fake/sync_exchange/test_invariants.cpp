// SPDX-License-Identifier: GPL-3.0-or-later
// Laws of the heart that no other test of the whole engine bears in its name (docs/proof.md lists them all).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange_organisation.hpp"
#include "scenarios.hpp"

namespace syncline::sync::testing {
namespace {

using exchange_sim::Action;
using exchange_sim::FaultRule;
using model::RecordKind;
using ::testing::SizeIs;

class Invariants : public ::testing::Test {
 protected:
  ExchangeWorld server;
  ExchangeOrganisation organisation{server, anna};
};

TEST_F(Invariants, invariant2ReceivedOctetsAreKeptAsTheyCame) {
  // Folded, padded and encoded as no program of ours would.
  const std::string mime =
      "From:   bert@example.com\r\nTo: anna@example.com\r\nSUBJECT: =?iso-8859-1?q?caf=E9?=\r\n"
      "Message-Id:\r\n <odd@x>\r\nDate: Mon, 5 Jan 2026 07:30:00 +0000 (winter)\r\n"
      "Content-Type: text/plain;\r\n\tcharset=us-ascii\r\n\r\nline  \r\n.\r\n\r\n";
  server.deliver(anna, mime);
  organisation.must_run();
  const model::Record record = organisation.only_record(RecordKind::email);
  EXPECT_EQ(organisation.content_of(record.fields.at("mime").at("sha256").as_string()), mime);
  organisation.expect_quiet();
}

TEST_F(Invariants, invariant3OfOurOwnWriteOnlyTheKeyComesBack) {
  organisation.add(RecordKind::contact, {{"surname", "x"}});
  organisation.settle();
  const model::Record record = organisation.only_record(RecordKind::contact);
  organisation.edit(record.id, {{"jobTitle", "Cook"}});
  organisation.settle();
  const std::int64_t version = organisation.record(record.id).version;
  // What the server made of the new item came back with the write itself.
  const std::size_t changes = organisation.journal("changed").size();
  organisation.must_run();
  EXPECT_EQ(organisation.record(record.id).version, version);
  EXPECT_THAT(organisation.journal("changed"), SizeIs(changes));
  organisation.expect_quiet();
  // A key that moved alone, as the server's own agents move it, is no change either.
  const std::string id = server.only_item(anna, "contacts");
  server.edit(anna, id, "contacts:JobTitle", "Baker");
  server.edit(anna, id, "contacts:JobTitle", "Cook");
  organisation.must_run();
  EXPECT_EQ(organisation.record(record.id).version, version);
  EXPECT_THAT(organisation.journal("changed"), SizeIs(changes));
  organisation.expect_quiet();
}

TEST_F(Invariants, invariant8NoUpdateOverwritesWhatItHasNotSeen) {
  for (const Scenario& scenario : scenarios()) {
    std::uint64_t updates = 0;
    std::uint64_t blind = 0;
    const auto count = [&](ExchangeWorld& world, ExchangeOrganisation&) {
      updates += world.exchange.requests("UpdateItem");
      blind += world.service().blind_updates();
    };
    for (std::size_t step = 0; step < scenario.steps.size(); ++step)
      static_cast<void>(play(scenario, {.step = step, .after = count}));
    EXPECT_EQ(blind, 0u) << scenario.name;
    if (scenario.steps.size() == 3) {
      EXPECT_GT(updates, 0u) << scenario.name;
    }
  }
}

TEST_F(Invariants, invariant15OnFirstContactWhatComesMeanwhileComesOnce) {
  organisation.settings.policies.mail.process_from = SystemTime{};
  for (int i = 0; i < 5; ++i)
    server.deliver(anna, mail_from(bert, "before " + std::to_string(i), "<b" + std::to_string(i) + "@x>"));
  // Stopped after the state was taken and before the messages were, while mail goes on coming.
  for (std::uint64_t nth = 0; nth < 6; ++nth) {
    StopAt stop(nth, StopAt::Moment::after);
    organisation.reopen(&stop);
    static_cast<void>(organisation.run());
    server.deliver(anna,
                   mail_from(bert, "during " + std::to_string(nth), "<d" + std::to_string(nth) + "@x>"));
  }
  organisation.reopen();
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(11));
  organisation.expect_quiet();
}

TEST_F(Invariants, invariant26OneBadItemNeverLosesItsBatch) {
  for (int i = 0; i < 10; ++i)
    server.add(anna, "contacts", "<t:Contact><t:Surname>c" + std::to_string(i) + "</t:Surname></t:Contact>");
  const auto all = server.list(anna, "contacts");
  for (const std::size_t bad : {0u, 4u, 9u})
    ASSERT_TRUE(server.service().set_unreadable(anna, all[bad].id, "ErrorItemCorrupt", false));
  organisation.must_run();
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(7));
  EXPECT_THAT(organisation.journal("quarantined"), SizeIs(3));
  // Of the writes likewise: one that the server refuses keeps no other from going.
  FaultRule refused;
  refused.action = Action::response_code;
  refused.code = "ErrorInvalidPropertyRequest";
  refused.times = 1;
  server.exchange.fault("CreateItem", refused);
  for (int i = 0; i < 3; ++i) organisation.add(RecordKind::task, {{"subject", "t" + std::to_string(i)}});
  organisation.settle();
  EXPECT_EQ(server.count(anna, "tasks"), 2u);
  EXPECT_THAT(organisation.journal("refused"), SizeIs(1));
  organisation.expect_quiet();
}

TEST_F(Invariants, invariant27NothingLeavesWhileTheServerSaysWait) {
  for (int i = 0; i < 10; ++i)
    server.add(anna, "contacts", "<t:Contact><t:Surname>c" + std::to_string(i) + "</t:Surname></t:Contact>");
  organisation.add(RecordKind::task, {{"subject", "t"}});
  for (const auto place : {exchange_sim::BusyPlace::fault, exchange_sim::BusyPlace::message,
                           exchange_sim::BusyPlace::inner_code, exchange_sim::BusyPlace::http}) {
    FaultRule busy;
    busy.action = Action::busy;
    busy.place = place;
    busy.wait = std::chrono::seconds(20);
    busy.skip = 3 + 2 * static_cast<std::uint64_t>(place);
    busy.times = 1;
    server.exchange.sim().faults().add(busy);
  }
  const SystemTime begun = server.world.now();
  // A write that is told to wait may end the run; the next process does not know of the hint.
  for (int run = 0; run < 8 && !organisation.run(); ++run) server.pass(std::chrono::seconds(20));
  organisation.settle();
  EXPECT_GE(server.world.now() - begun, std::chrono::seconds(4 * 20));
  EXPECT_EQ(server.exchange.sim().counters().get("during-back-off"), 0u);
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(10));
  EXPECT_EQ(server.count(anna, "tasks"), 1u);
  organisation.expect_quiet();
}

/// A day of one mailbox, looked at every quarter of an hour.
std::string day_of_a_mailbox() {
  ExchangeWorld server;
  ExchangeOrganisation organisation(server, anna);
  for (int quarter = 0; quarter < 96; ++quarter) {
    if (quarter % 12 == 0)
      server.deliver(anna,
                     mail_from(bert, "m" + std::to_string(quarter), "<" + std::to_string(quarter) + "@x>"));
    if (quarter % 30 == 0) organisation.add(RecordKind::contact, {{"surname", std::to_string(quarter)}});
    organisation.must_run();
    server.pass(std::chrono::minutes(15));
  }
  EXPECT_EQ(organisation.records(RecordKind::email).size(), 8u);
  EXPECT_EQ(server.count(anna, "contacts"), 4u);
  std::string log;
  for (const auto& entry : server.exchange.sim().log().entries())
    log += std::to_string(entry.time.time_since_epoch().count()) + " " + entry.operation + " " +
           std::to_string(entry.response_octets) + "\n";
  return log + organisation.dump();
}

TEST_F(Invariants, invariant30AVirtualDayIsTheSameEachTime) {
  const std::string first = day_of_a_mailbox();
  EXPECT_EQ(day_of_a_mailbox(), first);
  EXPECT_GT(std::count(first.begin(), first.end(), '\n'), 96);
}

}  // namespace
}  // namespace syncline::sync::testing
