// SPDX-License-Identifier: GPL-3.0-or-later
// Invariant 6: every write once, whatever happens to its reply.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "organisation.hpp"
#include "store/operations.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Loses the reply of the first request of that name; `moment` before: the request itself.
Fault once(const std::string& name, FaultMoment moment, std::optional<Error> error = std::nullopt) {
  auto done = std::make_shared<bool>(false);
  return [=](const std::string& request, FaultMoment when) -> std::optional<Error> {
    if (request != name || when != moment || *done) return std::nullopt;
    *done = true;
    return error.value_or(
        Error{.domain = ErrorDomain::net, .code = "connection-reset", .retry = RetryClass::now});
  };
}

class Operations : public ::testing::Test {
 protected:
  ManualClock clock;
  MemoryServer server{clock, "anna@example.com"};
  Organisation organisation{clock, server};

  model::Record add_message(const std::string& to = "bert@example.com") {
    return organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                                {"statusCode", "pendingSend"},
                                                {"subject", "Offer"},
                                                {"body", {{"type", "text"}, {"value", "Hello"}}},
                                                {"toRecipients", {{{"emailAddress", to}}}}});
  }
};

TEST_F(Operations, invariant6ACreateWhoseReplyIsLostIsSettledByEvidence) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const SystemTime before = clock.now();
  organisation.must_run(once("create", FaultMoment::after));
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_GE(clock.now() - before, organisation.settings.policies.sync.server_time_limit)
      << "not before the server's time limit";
  EXPECT_EQ(server.requests["create"], 1u);
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(1));
}

TEST_F(Operations, invariant6ACreateThatNeverArrivedIsMadeOnce) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  organisation.must_run(once("create", FaultMoment::before));
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").size(), 1u);
}

TEST_F(Operations, withoutWaitingTheSettlingIsLeftToALaterRun) {
  organisation.options.settle = false;
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const SystemTime before = clock.now();
  EXPECT_EQ(organisation.must_run(once("create", FaultMoment::after)).waiting, 1u);
  EXPECT_EQ(clock.now(), before);
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(organisation.must_run().waiting, 0u);
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_THAT(organisation.records(RecordKind::contact), SizeIs(1));
}

TEST_F(Operations, invariant6AMessageIsSentOnceWhateverIsLost) {
  for (const std::string step : {"draft", "send"})
    for (const FaultMoment moment : {FaultMoment::before, FaultMoment::after}) {
      const std::size_t sent = server.sent().size();
      const model::Record record = add_message();
      organisation.must_run(once(step, moment));
      organisation.must_run();
      ASSERT_EQ(server.sent().size(), sent + 1) << step;
      bool found = false;
      for (const model::Record& now : organisation.records(RecordKind::email))
        if (now.id == record.id) {
          found = true;
          EXPECT_EQ(now.fields.at("statusCode"), "sent") << step;
        }
      EXPECT_TRUE(found);
    }
  EXPECT_THAT(organisation.records(RecordKind::email), SizeIs(4))
      << "sent copies are linked, not read as new mail";
  EXPECT_THAT(server.in("drafts"), IsEmpty());
}

TEST_F(Operations, invariant6ADraftThatSomebodyRemovedGoesToAPerson) {
  add_message();
  organisation.options.settle = false;
  organisation.must_run(once("send", FaultMoment::before));
  ASSERT_EQ(server.in("drafts").size(), 1u);
  server.remove(server.in("drafts").front()->id);
  clock.advance(std::chrono::minutes(5));
  EXPECT_EQ(organisation.must_run().needs_person, 1u);
  EXPECT_THAT(server.sent(), IsEmpty());
  EXPECT_EQ(organisation.only_record(RecordKind::email).fields.at("statusCode"), "needsPerson");
}

TEST_F(Operations, r08AConflictIsReadMergedAndWrittenAgain) {
  const std::string id = server.add("contacts", {{"givenName", "Marta"}}).id;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::contact).id, {{"jobTitle", "Head"}});
  // The server's agents touch the item between our reading and our write.
  bool touched = false;
  organisation.must_run([&](const std::string& request, FaultMoment moment) -> std::optional<Error> {
    if (request == "update" && moment == FaultMoment::before && !touched) {
      touched = true;
      server.edit(id, {{"nickname", "M"}});
    }
    return std::nullopt;
  });
  EXPECT_EQ(server.find(id)->fields.at("jobTitle"), "Head");
  EXPECT_EQ(server.find(id)->fields.at("nickname"), "M");
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("nickname"), "M");
}

TEST_F(Operations, anUpdateWhoseReplyIsLostIsNotRepeated) {
  const std::string id = server.add("contacts", {{"givenName", "Marta"}}).id;
  organisation.must_run();
  organisation.edit(organisation.only_record(RecordKind::contact).id, {{"jobTitle", "Head"}});
  organisation.must_run(once("update", FaultMoment::after));
  EXPECT_EQ(server.requests["update"], 1u);
  EXPECT_EQ(server.find(id)->fields.at("jobTitle"), "Head");
  organisation.must_run();
  EXPECT_EQ(server.requests["update"], 1u);
}

TEST_F(Operations, aRefusedWriteIsToldAndNotTriedAgainBeforeTheRecordChanges) {
  server.add("contacts", {{"givenName", "Marta"}});
  organisation.must_run();
  const model::RecordId id = organisation.only_record(RecordKind::contact).id;
  organisation.edit(id, {{"jobTitle", "Head"}});
  const Error refusal{
      .domain = ErrorDomain::ews, .code = "ErrorQuotaExceeded", .message = "the mailbox is full"};
  EXPECT_EQ(
      organisation.must_run(once("update", FaultMoment::before, refusal)).of(RecordKind::contact).refused,
      1u);
  organisation.must_run();
  EXPECT_EQ(server.requests["update"], 0u);
  organisation.edit(id, {{"jobTitle", "Boss"}});
  organisation.must_run();
  EXPECT_EQ(server.requests["update"], 1u);
  EXPECT_EQ(server.in("contacts").front()->fields.at("jobTitle"), "Boss");
  EXPECT_THAT(organisation.journal("refused"), ElementsAre("ErrorQuotaExceeded"));
}

TEST_F(Operations, aWrongPasswordEndsTheRunAndLosesNothing) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const Error refusal{
      .domain = ErrorDomain::http, .code = "unauthorized", .retry = RetryClass::reauthenticate};
  EXPECT_FALSE(organisation.run(once("create", FaultMoment::before, refusal)));
  clock.advance(std::chrono::minutes(5));
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").size(), 1u);
}

TEST_F(Operations, aPasswordThatIsWrongForDaysRefusesNothing) {
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const Fault refusal = [](const std::string& request, FaultMoment when) -> std::optional<Error> {
    if (request != "create" || when != FaultMoment::before) return std::nullopt;
    return Error{.domain = ErrorDomain::http, .code = "unauthorized", .retry = RetryClass::reauthenticate};
  };
  for (int hour = 0; hour < 24 * 7; ++hour) {
    EXPECT_FALSE(organisation.run(refusal));
    clock.advance(std::chrono::hours(1));
  }
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_THAT(organisation.journal("refused"), IsEmpty());
}

/// As a server that cannot write just now: every time, until `ends`.
Fault busy_until(const ManualClock& clock, SystemTime ends, FaultMoment moment) {
  return [&clock, ends, moment](const std::string& request, FaultMoment when) -> std::optional<Error> {
    if (request != "create" || when != moment || clock.now() >= ends) return std::nullopt;
    return Error{.domain = ErrorDomain::http,
                 .code = "unavailable",
                 .message = "the server is out of order",
                 .retry = RetryClass::after};
  };
}

TEST_F(Operations, whatPassesIsWaitedForAndSomebodyIsTold) {
  organisation.options.settle = false;
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const Fault busy = busy_until(clock, clock.now() + std::chrono::hours(60), FaultMoment::before);
  std::size_t most_alerts = 0;
  for (int hour = 0; hour < 62; ++hour) {
    organisation.must_run(busy);
    most_alerts = std::max(most_alerts, organisation.alerts().size());
    clock.advance(std::chrono::hours(1));
  }
  EXPECT_EQ(most_alerts, 1u);
  EXPECT_THAT(organisation.alerts(), IsEmpty());
  EXPECT_EQ(server.in("contacts").size(), 1u);
  EXPECT_THAT(organisation.journal("refused"), IsEmpty());
}

TEST_F(Operations, afterFiveDaysItIsGivenUpAndItsItemIsKnownWhenItComes) {
  organisation.options.settle = false;
  const model::Record record = organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const Fault busy = busy_until(clock, clock.now() + std::chrono::days(9), FaultMoment::before);
  for (int day = 0; day < 7; ++day) {
    organisation.must_run(busy);
    clock.advance(std::chrono::days(1));
  }
  EXPECT_THAT(organisation.journal("refused"), ElementsAre("unavailable"));
  const auto given_up = organisation.store().read<std::vector<store::Operation>>(
      [&](store::Transaction& transaction) { return store::operations_of_record(transaction, record.id); });
  ASSERT_TRUE(given_up);
  ASSERT_THAT(*given_up, SizeIs(1));
  // The server had taken it after all, and a person has written into it since.
  MemoryItem& late = server.add("contacts", {{"givenName", "Bert"}, {"nickname", "B"}});
  late.mark = given_up->front().id;
  organisation.must_run();
  EXPECT_EQ(organisation.only_record(RecordKind::contact).id, record.id);
  EXPECT_EQ(organisation.only_record(RecordKind::contact).fields.at("nickname"), "B");
  EXPECT_THAT(organisation.journal("created"), ElementsAre("found-later"));
  EXPECT_EQ(server.in("contacts").size(), 1u);
  organisation.edit(record.id, {{"jobTitle", "Head"}});
  organisation.must_run();
  EXPECT_EQ(server.in("contacts").front()->fields.at("jobTitle"), "Head");
}

TEST_F(Operations, massMailIsRefused) {
  organisation.settings.policies.mail.mass_mail_recipients = 2;
  boost::json::array many;
  for (int i = 0; i < 3; ++i)
    many.push_back(boost::json::object{{"emailAddress", std::to_string(i) + "@example.com"}});
  const model::Record record = add_message();
  organisation.edit(record.id, {{"toRecipients", many}});
  organisation.must_run();
  EXPECT_THAT(server.sent(), IsEmpty());
  EXPECT_EQ(organisation.only_record(RecordKind::email).fields.at("statusCode"), "failed");
}

TEST_F(Operations, noMoreMessagesGoOutInAMinuteThanThePolicySays) {
  organisation.settings.policies.mail.send_per_minute = 2;
  for (int i = 0; i < 6; ++i) add_message();
  const SystemTime before = clock.now();
  organisation.must_run();
  EXPECT_EQ(server.sent().size(), 6u);
  EXPECT_GE(clock.now() - before, std::chrono::minutes(2));
}

TEST_F(Operations, whatTheRunsBeforeHaveSentCountsInTheMinute) {
  organisation.settings.policies.mail.send_per_minute = 2;
  const SystemTime before = clock.now();
  for (int run = 0; run < 4; ++run) {
    organisation.reopen();
    add_message();
    organisation.must_run();
  }
  EXPECT_EQ(server.sent().size(), 4u);
  EXPECT_GE(clock.now() - before, std::chrono::minutes(1));
  EXPECT_LT(clock.now() - before, std::chrono::minutes(2));
}

TEST_F(Operations, aRunThatDoesNotWaitLeavesMessagesAboveTheRateToALaterOne) {
  organisation.settings.policies.mail.send_per_minute = 2;
  organisation.options.settle = false;
  for (int i = 0; i < 5; ++i) add_message();
  const SystemTime before = clock.now();
  const MailboxSummary first = organisation.must_run();
  EXPECT_EQ(clock.now(), before);
  EXPECT_EQ(server.sent().size(), 2u);
  EXPECT_EQ(first.waiting, 3u);
  ASSERT_TRUE(first.next_attempt);
  EXPECT_EQ(*first.next_attempt, before + std::chrono::minutes(1));
  EXPECT_EQ(organisation.must_run().waiting, 3u);  // too early
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(organisation.must_run().waiting, 1u);
  clock.advance(std::chrono::minutes(1));
  const MailboxSummary last = organisation.must_run();
  EXPECT_EQ(server.sent().size(), 5u);
  EXPECT_EQ(last.waiting, 0u);
  EXPECT_FALSE(last.next_attempt);
}

TEST_F(Operations, aHostThatAsksForAPauseIsToldFromOneThatIsOutOfOrder) {
  organisation.options.settle = false;
  organisation.add(RecordKind::contact, {{"givenName", "Bert"}});
  const Error throttled{.domain = ErrorDomain::mail,
                        .code = "throttled",
                        .retry = RetryClass::after,
                        .retry_after = std::chrono::minutes(5)};
  const SystemTime until = clock.now() + std::chrono::minutes(5);
  const MailboxSummary first = organisation.must_run(once("create", FaultMoment::before, throttled));
  EXPECT_EQ(first.held_back_until, until);
  EXPECT_EQ(first.next_attempt, until);
  clock.advance(std::chrono::minutes(5));
  const Error trouble{.domain = ErrorDomain::mail, .code = "temporary", .retry = RetryClass::after};
  const MailboxSummary second = organisation.must_run(once("create", FaultMoment::before, trouble));
  EXPECT_TRUE(second.next_attempt);
  EXPECT_FALSE(second.held_back_until);
}

/// The reply to a create is lost, and the item is there twice.
class DoubledCreate : public Operations {
 protected:
  void make(bool settle) {
    organisation.options.settle = settle;
    record_ = organisation.add(RecordKind::contact, {{"givenName", "Bert"}}).id;
    organisation.must_run([this](const std::string& request, FaultMoment moment) -> std::optional<Error> {
      if (request != "create" || moment != FaultMoment::after || copied_) return std::nullopt;
      copied_ = true;
      server.copy(server.in("contacts").front()->id, "contacts");
      return Error{.domain = ErrorDomain::net, .code = "connection-reset", .retry = RetryClass::after};
    });
    clock.advance(std::chrono::minutes(2));
    organisation.options.settle = true;
    organisation.must_run();
    organisation.must_run();
  }
  void expect_one() {
    EXPECT_THAT(server.in("contacts"), SizeIs(1));
    EXPECT_THAT(server.in("deleted"), SizeIs(1)) << "never hard";
    EXPECT_EQ(organisation.only_record(RecordKind::contact).id, record_);
    ASSERT_THAT(organisation.links(record_), SizeIs(1));
    EXPECT_EQ(organisation.links(record_).front().remote_id, server.in("contacts").front()->id);
    EXPECT_THAT(organisation.journal("removed"), ElementsAre("duplicate"));
  }
  bool copied_ = false;
  model::RecordId record_ = 0;
};

TEST_F(DoubledCreate, invariant6OfTwoItemsWithOneOperationIdOneIsDeleted) {
  make(true);
  expect_one();
}

TEST_F(DoubledCreate, invariant6OfTwoItemsWithOneOperationIdOneIsDeletedByALaterRunToo) {
  make(false);
  expect_one();
}

}  // namespace
}  // namespace syncline::sync::testing
