// SPDX-License-Identifier: GPL-3.0-or-later
// R-16, invariant 6: wherever an answer is cut and whenever the process is killed, the write is done once,
// and all ends as if nothing had happened. Samples here; with SYNCLINE_FULL=1 every octet of an answer to a
// write, and every sixteenth of what was only read on the way.
#include <cstdlib>
#include <random>

#include "write_bench.hpp"

namespace syncline::ews::testing {
namespace {

using model::RecordKind;

/// A write to be interrupted: what is there before, and the order.
struct Scenario {
  const char* name;
  sync::WriteOrder (*prepare)(WriteBench& bench);
};
void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}

constexpr std::string_view contact_json = R"({"givenName":"Ada","surname":"King","jobTitle":"Analyst",
  "phoneNumbers":{"BusinessPhone":"1"},"birthday":"1815-12-10"})";
constexpr std::string_view meeting_json = R"({"subject":"Plan","start":"2026-03-20T11:00:00Z",
  "end":"2026-03-20T12:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "requiredAttendees":[{"mailbox":{"emailAddress":"bert@example.com"}}]})";
constexpr std::string_view series_json = R"({"subject":"Jour fixe","start":"2026-03-09T09:00:00Z",
  "end":"2026-03-09T10:00:00Z","startTimeZone":{"id":"W. Europe Standard Time"},
  "recurrence":{"pattern":{"type":"weekly","interval":1,"daysOfWeek":["Monday"]},
                "range":{"type":"numbered","startDate":"2026-03-09","numberOfOccurrences":6}},
  "modifiedOccurrences":[{"originalStart":"2026-03-16T09:00:00Z","subject":"Moved"}],
  "deletedOccurrences":["2026-03-30T08:00:00Z"]})";

sync::WriteOrder mailing(sync::WriteOrder order) {
  order.mail_attendees = true;
  return order;
}

const Scenario scenarios[] = {
    {"create_contact",
     [](WriteBench& bench) {
       bench.add_content(std::string(64, 'f'), std::string(500, 'p'));
       auto order = bench.create(RecordKind::contact, contact_json);
       order.fields["photo"] = fields(
           R"({"sha256":"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff","size":500})");
       return order;
     }},
    {"create_task",
     [](WriteBench& bench) {
       return bench.create(RecordKind::task, R"({"subject":"Write","dueDate":"2026-03-30"})");
     }},
    {"create_meeting",
     [](WriteBench& bench) { return mailing(bench.create(RecordKind::appointment, meeting_json)); }},
    {"create_series", [](WriteBench& bench) { return bench.create(RecordKind::appointment, series_json); }},
    {"update_contact",
     [](WriteBench& bench) {
       const std::string id = bench.made(bench.create(RecordKind::contact, contact_json));
       return bench.update(RecordKind::contact, id,
                           R"({"jobTitle":"Countess","phoneNumbers":{"BusinessPhone":null,"Pager":"3"}})");
     }},
    {"update_recurring_task",
     [](WriteBench& bench) {
       const std::string id = bench.made(bench.create(RecordKind::task, R"({"subject":"Report",
           "startDate":"2026-01-05","dueDate":"2026-01-05","recurrence":{"pattern":{"type":"daily",
           "interval":1},"range":{"type":"noEnd","startDate":"2026-01-05"}}})"));
       return bench.update(RecordKind::task, id, R"({"status":"Completed"})");
     }},
    {"update_meeting",
     [](WriteBench& bench) {
       const std::string id = bench.made(mailing(bench.create(RecordKind::appointment, meeting_json)));
       return mailing(bench.update(RecordKind::appointment, id,
                                   R"({"location":"There","requiredAttendees":[
                                       {"mailbox":{"emailAddress":"new@example.org"}}]})"));
     }},
    {"update_series",
     [](WriteBench& bench) {
       const std::string id = bench.made(bench.create(RecordKind::appointment, series_json));
       return bench.update(RecordKind::appointment, id,
                           R"({"start":"2026-03-09T13:00:00Z","end":"2026-03-09T14:00:00Z"})");
     }},
    {"remove_contact",
     [](WriteBench& bench) {
       const std::string id = bench.made(bench.create(RecordKind::contact, contact_json));
       return bench.remove(RecordKind::contact, id);
     }},
    {"cancel_meeting",
     [](WriteBench& bench) {
       const std::string id = bench.made(mailing(bench.create(RecordKind::appointment, meeting_json)));
       return mailing(bench.remove(RecordKind::appointment, id));
     }},
    {"send",
     [](WriteBench& bench) {
       bench.add_content(std::string(64, 'a'), "alpha");
       bench.add_content(std::string(64, 'b'), "beta");
       return bench.send(R"({"subject":"Hello","toRecipients":[{"emailAddress":"bert@example.com"}],
           "body":{"type":"text","value":"Hi"},"internetMessageId":"<ours@example.com>",
           "attachments":[{"name":"same.txt","size":5,"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
                          {"name":"same.txt","size":4,"sha256":"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}]})");
     }},
};

/// How a write ended.
struct Ending {
  bool is_done = false;
  std::string error;
  std::map<std::string, std::vector<std::string>> contents;
  std::map<std::string, int> mails;
  std::string sent_message_id;
  std::size_t copies = 0;
};

Ending ending_of(WriteBench& bench, const Result<sync::Applied>& applied) {
  Ending ending{.is_done = applied.has_value(), .contents = bench.contents(), .mails = bench.mails()};
  if (applied) {
    ending.sent_message_id = applied->sent_message_id;
    ending.copies = applied->copies.size();
  } else {
    ending.error = applied.error().describe();
  }
  return ending;
}

void expect_same(const Ending& whole, const Ending& interrupted, const std::string& where) {
  ASSERT_TRUE(interrupted.is_done) << where << ": " << interrupted.error;
  EXPECT_EQ(interrupted.contents, whole.contents) << where;
  EXPECT_EQ(interrupted.mails, whole.mails) << where;
  EXPECT_EQ(interrupted.sent_message_id, whole.sent_message_id) << where;
  EXPECT_EQ(interrupted.copies, 0U) << where;
}

bool is_full() {
  const char* full = std::getenv("SYNCLINE_FULL");
  return full != nullptr && std::string_view(full) == "1";
}

bool is_write(std::string_view operation) {
  return operation.starts_with("Create") || operation.starts_with("Update") ||
         operation.starts_with("Delete") || operation.starts_with("Send") || operation.starts_with("Move");
}

class Interrupted : public ::testing::TestWithParam<Scenario> {
 protected:
  /// The write without any trouble: how it ends, and which answers it got.
  struct Whole {
    Ending ending;
    unsigned saves = 0;
    std::vector<std::pair<std::string, std::uint64_t>> replies;  ///< operation, octets; in their order
  };
  Whole whole() {
    WriteBench bench;
    const auto order = GetParam().prepare(bench);
    bench.exchange.forget_requests();
    MemoryProgress progress(bench.world.environment().clock);
    const auto applied = bench.apply(order, progress);
    Whole out{.ending = ending_of(bench, applied), .saves = progress.saves()};
    for (const auto& entry : bench.exchange.sim().log().entries()) {
      // The first request of a connection is refused before anybody looks at it.
      if (entry.status == 401) continue;
      EXPECT_GT(entry.response_octets, 0U) << entry.operation << " " << entry.status;
      out.replies.emplace_back(entry.operation, entry.response_octets);
    }
    EXPECT_TRUE(applied) << applied.error().describe();
    EXPECT_THAT(bench.exchange.schema_violations(), ::testing::IsEmpty());
    return out;
  }
};

TEST_P(Interrupted, AnAnswerCutAnywhereChangesNothing) {
  const Whole undisturbed = whole();
  std::mt19937 random(20260105);
  std::map<std::string, std::uint64_t> seen;
  for (const auto& [operation, octets] : undisturbed.replies) {
    const std::uint64_t nth = seen[operation]++;
    std::vector<std::uint64_t> offsets;
    if (is_full()) {
      const std::uint64_t step = is_write(operation) ? 1 : 16;
      for (std::uint64_t offset = 0; offset < octets; offset += step) offsets.push_back(offset);
    } else {
      offsets = {0, octets - 1};
      for (int i = 0; i < 3; ++i) offsets.push_back(random() % octets);
    }
    for (const std::uint64_t offset : offsets) {
      WriteBench bench(false);
      const auto order = GetParam().prepare(bench);
      exchange_sim::FaultRule cut;
      cut.action = exchange_sim::Action::cut;
      cut.offset = offset;
      cut.skip = nth;
      cut.times = 1;
      bench.exchange.fault(operation, cut);
      const auto applied = bench.apply(order);
      expect_same(undisturbed.ending, ending_of(bench, applied),
                  operation + " #" + std::to_string(nth + 1) + " cut after " + std::to_string(offset) +
                      " of " + std::to_string(octets));
      if (HasFailure()) return;
    }
  }
}

TEST_P(Interrupted, ARequestThatNeverArrivedIsMadeUpFor) {
  const Whole undisturbed = whole();
  std::map<std::string, std::uint64_t> seen;
  for (const auto& [operation, octets] : undisturbed.replies) {
    WriteBench bench(false);
    const auto order = GetParam().prepare(bench);
    exchange_sim::FaultRule lost;
    lost.action = exchange_sim::Action::abort_before;
    lost.skip = seen[operation]++;
    lost.times = 1;
    bench.exchange.fault(operation, lost);
    const auto applied = bench.apply(order);
    expect_same(undisturbed.ending, ending_of(bench, applied), operation + " lost");
    if (HasFailure()) return;
  }
}

TEST_P(Interrupted, AProcessKilledBeforeOrAfterAnySaveGoesOn) {
  const Whole undisturbed = whole();
  ASSERT_GT(undisturbed.saves, 0U);
  for (const auto death : {MemoryProgress::Death::before_save, MemoryProgress::Death::after_save}) {
    for (unsigned nth = 1; nth <= undisturbed.saves; ++nth) {
      WriteBench bench(false);
      const auto order = GetParam().prepare(bench);
      MemoryProgress progress(bench.world.environment().clock);
      progress.die(death, nth);
      const auto applied = bench.apply(order, progress);
      EXPECT_TRUE(progress.has_died());
      expect_same(undisturbed.ending, ending_of(bench, applied),
                  std::string(death == MemoryProgress::Death::before_save ? "before" : "after") + " save " +
                      std::to_string(nth));
      if (HasFailure()) return;
    }
  }
}

TEST_P(Interrupted, AProcessKilledBeforeItsBooksSayDoneFindsItDone) {
  const Whole undisturbed = whole();
  WriteBench bench(false);
  const auto order = GetParam().prepare(bench);
  MemoryProgress progress(bench.world.environment().clock);
  const auto first = bench.apply(order, progress);
  ASSERT_TRUE(first);
  const auto again = bench.apply(order, progress);
  expect_same(undisturbed.ending, ending_of(bench, again), "done, and asked again");
  if (again && order.what != sync::WriteOrder::What::remove) {
    EXPECT_EQ(again->item.id, first->item.id);
  }
}

INSTANTIATE_TEST_SUITE_P(Writes, Interrupted, ::testing::ValuesIn(scenarios),
                         [](const auto& scenario) { return std::string(scenario.param.name); });

}  // namespace
}  // namespace syncline::ews::testing
