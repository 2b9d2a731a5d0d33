// SPDX-License-Identifier: GPL-3.0-or-later
// The kill test: all four kinds, both directions; the engine stops before and after every durable write,
// starts again, and everything is as if it had never stopped.
#include <gtest/gtest.h>

#include <functional>
#include <tuple>

#include "organisation.hpp"

namespace syncline::sync::testing {
namespace {

using model::RecordKind;

/// What happens, in steps; a run follows each.
using Step = std::function<void(MemoryServer&, Organisation&)>;
struct Scenario {
  const char* name;
  std::vector<Step> steps;
};

model::Fields message(int number, model::Fields more = {}) {
  model::Fields fields{{"subject", "Message " + std::to_string(number)},
                       {"internetMessageId", "<" + std::to_string(number) + "@x>"},
                       {"from", {{"emailAddress", "bert@example.com"}}},
                       {"dateTimeReceived", "2026-01-05T08:00:00Z"},
                       {"body", {{"type", "text"}, {"value", "text " + std::to_string(number)}}}};
  for (auto& [name, value] : more) fields[name] = value;
  return fields;
}

model::Fields meeting() {
  return {{"subject", "Review"},
          {"start", "2026-02-02T09:00:00Z"},
          {"end", "2026-02-02T10:00:00Z"},
          {"requiredAttendees", {{{"mailbox", {{"emailAddress", "bert@example.com"}}}}}}};
}

model::RecordId record_with(Organisation& organisation, RecordKind kind, std::string_view field,
                            std::string_view value) {
  for (const model::Record& record : organisation.records(kind))
    if (const auto* there = record.fields.if_contains(field);
        there != nullptr && there->is_string() && there->get_string() == value)
      return record.id;
  return 0;
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"mail in",
       {[](MemoryServer& server, Organisation&) {
          for (int i = 0; i < 7; ++i)
            server.add("inbox", message(i)).mime = "Subject: " + std::to_string(i) + "\r\n\r\n";
        },
        [](MemoryServer& server, Organisation&) {
          server.edit("inbox/2", {{"isRead", true}});
          server.move("inbox/3", "projects");
          server.add("sent", message(9, {{"inReplyTo", "<1@x>"}}));
          server.add("inbox", message(1));  // a copy of a message that is known
        }}},
      {"mail out", {[](MemoryServer&, Organisation& organisation) {
         for (int i = 0; i < 2; ++i)
           organisation.add(RecordKind::email, {{"direction", "outgoing"},
                                                {"statusCode", "pendingSend"},
                                                {"subject", "Offer " + std::to_string(i)},
                                                {"toRecipients", {{{"emailAddress", "bert@example.com"}}}}});
       }}},
      {"contacts and tasks",
       {[](MemoryServer& server, Organisation& organisation) {
          server.add("contacts", {{"givenName", "Marta"}});
          server.add("tasks", {{"subject", "Call"}, {"status", "NotStarted"}});
          organisation.add(RecordKind::contact,
                           {{"givenName", "Bert"}, {"phoneNumbers", {{"HomePhone", "1"}}}});
          organisation.add(RecordKind::task, {{"subject", "Write"}});
        },
        [](MemoryServer& server, Organisation& organisation) {
          server.edit("contacts/1", {{"jobTitle", "Head"}});
          if (const auto id = record_with(organisation, RecordKind::contact, "givenName", "Marta"))
            organisation.edit(id, {{"nickname", "M"}});
          if (const auto id = record_with(organisation, RecordKind::contact, "givenName", "Bert"))
            organisation.edit(id, {{"phoneNumbers", {{"HomePhone", "1"}, {"BusinessPhone", "2"}}}});
          server.remove("tasks/2");
        },
        [](MemoryServer&, Organisation& organisation) {
          if (const auto id = record_with(organisation, RecordKind::contact, "givenName", "Bert"))
            organisation.remove(id);
        }}},
      {"appointments",
       {[](MemoryServer& server, Organisation& organisation) {
          server.add("calendar", meeting());
          organisation.add(RecordKind::appointment, meeting());
        },
        [](MemoryServer& server, Organisation& organisation) {
          server.edit("calendar/1", {{"location", "Room 1"}});
          for (const model::Record& record : organisation.records(RecordKind::appointment))
            organisation.edit(record.id, {{"start", "2026-02-02T09:30:00Z"}});
        },
        [](MemoryServer& server, Organisation& organisation) {
          server.remove("calendar/1");
          const auto records = organisation.records(RecordKind::appointment);
          if (!records.empty()) organisation.remove(records.back().id);
        }}},
  };
  return all;
}

struct Outcome {
  std::string records;
  std::string server;
  std::size_t sent = 0;
  std::size_t mailed = 0;
  std::uint64_t writes = 0;
};

/// Runs the scenario; in step `stop_in_step` the engine stops at durable write `nth` and starts again.
Outcome play(const Scenario& scenario, bool reads_ahead, std::optional<std::size_t> stop_in_step,
             std::uint64_t nth, StopAt::Moment moment, bool* stopped) {
  ManualClock clock;
  MemoryServer server(clock, "anna@example.com");
  Organisation organisation(clock, server);
  organisation.settings.tracked_folders = {"Projects"};
  if (reads_ahead) organisation.read_ahead();
  for (std::size_t step = 0; step < scenario.steps.size(); ++step) {
    scenario.steps[step](server, organisation);
    if (step == stop_in_step) {
      StopAt stop(nth, moment);
      organisation.reopen(&stop);
      auto summary = organisation.run();
      *stopped = stop.stopped();
      if (!stop.stopped()) {
        EXPECT_TRUE(summary) << summary.error().describe();
      }
      clock.advance(std::chrono::seconds(1));
      organisation.reopen();
    }
    organisation.must_run();
  }
  Outcome outcome{.records = organisation.dump(),
                  .server = dump(server),
                  .sent = server.sent().size(),
                  .mailed = server.mailed().size()};
  // One more run writes nothing.
  std::uint64_t writes_before = 0;
  for (const char* name : {"create", "update", "remove", "draft", "send", "mail"})
    writes_before += server.requests[name];
  StopAt none(~std::uint64_t{0}, StopAt::Moment::after);
  organisation.reopen(&none);
  organisation.must_run();
  std::uint64_t writes_after = 0;
  for (const char* name : {"create", "update", "remove", "draft", "send", "mail"})
    writes_after += server.requests[name];
  EXPECT_EQ(writes_after, writes_before);
  EXPECT_EQ(organisation.dump(), outcome.records);
  return outcome;
}

class Kill : public ::testing::TestWithParam<std::tuple<std::size_t, bool>> {};

TEST_P(Kill, invariants1And6StoppedAtAnyDurableWriteItEndsAsIfItHadNot) {
  const auto [number, reads_ahead] = GetParam();
  const Scenario& scenario = scenarios()[number];
  const Outcome unbroken = play(scenario, false, std::nullopt, 0, StopAt::Moment::before, nullptr);
  ASSERT_FALSE(unbroken.records.empty());
  std::size_t stops = 0;
  for (std::size_t step = 0; step < scenario.steps.size(); ++step)
    for (const StopAt::Moment moment : {StopAt::Moment::before, StopAt::Moment::after}) {
      bool stopped = true;
      for (std::uint64_t nth = 0; stopped; ++nth) {
        SCOPED_TRACE(std::string(scenario.name) + ", step " + std::to_string(step) + ", write " +
                     std::to_string(nth) + (moment == StopAt::Moment::before ? ", before" : ", after"));
        stopped = false;
        const Outcome broken = play(scenario, reads_ahead, step, nth, moment, &stopped);
        EXPECT_EQ(broken.records, unbroken.records);
        EXPECT_EQ(broken.server, unbroken.server);
        EXPECT_EQ(broken.sent, unbroken.sent);
        EXPECT_EQ(broken.mailed, unbroken.mailed);
        stops += stopped ? 1 : 0;
        if (HasFailure()) return;
      }
    }
  EXPECT_GT(stops, 10u);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Kill,
                         ::testing::Combine(::testing::Values(0, 1, 2, 3), ::testing::Bool()),
                         [](const auto& parameter) {
                           std::string name = scenarios()[std::get<0>(parameter.param)].name;
                           for (char& c : name)
                             if (c == ' ') c = '_';
                           return name + (std::get<1>(parameter.param) ? "_read_ahead" : "");
                         });

}  // namespace
}  // namespace syncline::sync::testing
