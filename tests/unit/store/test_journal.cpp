// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/journal.hpp"

#include <sqlite3.h>

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

class Journal : public StoreTest {
 protected:
  void append(const JournalEntry& entry) {
    auto appended = act([&](Transaction& t) { return append_journal(t, entry); });
    EXPECT_TRUE(appended) << appended.error().describe();
  }
  std::vector<std::string> texts(const JournalQuery& query) {
    std::vector<std::string> out;
    for (const JournalEntry& entry :
         read<std::vector<JournalEntry>>([&](Transaction& t) { return list_journal(t, query); }))
      out.push_back(entry.text);
    return out;
  }
};

using Texts = std::vector<std::string>;

TEST_F(Journal, KeepsWhatHappenedWithItsTime) {
  append({.mailbox = 3,
          .item = "AAMk",
          .record = 4,
          .event = "conflict",
          .reason = "both-changed",
          .text = "two values",
          .detail = R"({"ours":1})",
          .message_id = "<m@x>"});
  const auto entries = read<std::vector<JournalEntry>>([](Transaction& t) { return list_journal(t, {}); });
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_GT(entries[0].sequence, 0);
  EXPECT_EQ(entries[0].at, clock_.now());
  EXPECT_EQ(entries[0].mailbox, 3);
  EXPECT_EQ(entries[0].item, "AAMk");
  EXPECT_EQ(entries[0].record, 4);
  EXPECT_EQ(entries[0].event, "conflict");
  EXPECT_EQ(entries[0].reason, "both-changed");
  EXPECT_EQ(entries[0].detail, R"({"ours":1})");
  EXPECT_EQ(entries[0].message_id, "<m@x>");
}

TEST_F(Journal, IsFoundByMailboxEventAndPage) {
  append({.mailbox = 1, .event = "tracked", .text = "a"});
  append({.mailbox = 2, .event = "tracked", .text = "b"});
  append({.mailbox = 1, .event = "not-tracked", .text = "c"});
  append({.mailbox = 1, .event = "tracked", .text = "d"});
  EXPECT_EQ(texts({}), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(texts({.mailbox = 1}), (Texts{"a", "c", "d"}));
  EXPECT_EQ(texts({.mailbox = 1, .event = "tracked"}), (Texts{"a", "d"}));
  EXPECT_EQ(texts({.event = "tracked", .most = 2}), (Texts{"a", "b"}));
  EXPECT_EQ(texts({.after = 2}), (Texts{"c", "d"}));
  EXPECT_EQ(texts({.mailbox = 1, .after = 1, .most = 1}), (Texts{"c"}));
}

TEST_F(Journal, IsFoundByRemoteIdRecordOrMessageId) {
  const auto record = make_record(model::RecordKind::email, R"({"internetMessageId":"<m@x>"})");
  append({.mailbox = 1, .item = "AAMk", .text = "by item"});
  append({.mailbox = 1, .record = record.id, .event = "tracked", .text = "by record"});
  append({.mailbox = 2, .event = "not-tracked", .text = "by message id", .message_id = "<m@x>"});
  append({.mailbox = 1, .text = "of nothing"});
  EXPECT_EQ(texts({.item = "AAMk"}), Texts{"by item"});
  EXPECT_EQ(texts({.item = std::to_string(record.id)}), Texts{"by record"});
  EXPECT_EQ(texts({.item = "<m@x>"}), (Texts{"by record", "by message id"}));
  EXPECT_EQ(texts({.mailbox = 2, .item = "<m@x>"}), Texts{"by message id"});
  EXPECT_EQ(texts({.item = "<m@x>", .event = "tracked"}), Texts{"by record"});
  EXPECT_EQ(texts({.item = ""}), Texts());
  EXPECT_EQ(texts({.item = "0"}), Texts());
}

using Quarantine = StoreTest;

TEST_F(Quarantine, KeepsTheFirstSightAndTellsWhatIsDue) {
  const MailboxId mailbox = make_mailbox();
  const SystemTime start = clock_.now();
  Quarantined item{.mailbox = mailbox,
                   .folder = "inbox",
                   .item = "bad",
                   .item_version = "1",
                   .code = "ErrorMimeContentConversionFailed",
                   .text = "no",
                   .first_seen = start,
                   .last_tried = start,
                   .attempts = 1};
  const auto put = [&] { ASSERT_TRUE(act([&](Transaction& t) { return put_quarantined(t, item); })); };
  const auto due = [&](SystemTime before) {
    return read<std::vector<Quarantined>>([&](Transaction& t) { return quarantine_due(t, mailbox, before); })
        .size();
  };
  put();
  EXPECT_EQ(due(start), 0u);
  EXPECT_EQ(due(start + std::chrono::hours(1)), 1u);
  item.first_seen = item.last_tried = start + std::chrono::hours(2);
  item.attempts = 2;
  put();
  EXPECT_EQ(due(start + std::chrono::hours(1)), 0u);
  item.replay = true;
  put();
  EXPECT_EQ(due(start), 1u);
  const auto found =
      read<std::optional<Quarantined>>([&](Transaction& t) { return find_quarantined(t, mailbox, "bad"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->first_seen, start);
  EXPECT_EQ(found->last_tried, start + std::chrono::hours(2));
  EXPECT_EQ(found->attempts, 2);
  EXPECT_EQ(found->code, "ErrorMimeContentConversionFailed");
  EXPECT_EQ(found->folder, "inbox");
  EXPECT_EQ(found->item_version, "1");
  const auto all = [&](std::optional<MailboxId> of) {
    return read<std::vector<Quarantined>>([&](Transaction& t) { return list_quarantine(t, of); }).size();
  };
  EXPECT_EQ(all(std::nullopt), 1u);
  EXPECT_EQ(all(mailbox), 1u);
  EXPECT_EQ(all(mailbox + 1), 0u);
  ASSERT_TRUE(act([&](Transaction& t) { return release_quarantined(t, mailbox, "bad"); }));
  EXPECT_EQ(all(std::nullopt), 0u);
}

using Alerts = StoreTest;

TEST_F(Alerts, AreRefreshedWhileTheyAreOpenAndRaisedAnewAfterwards) {
  const auto raise = [&](MailboxId mailbox, const std::string& code, const std::string& text) {
    ASSERT_TRUE(act([&](Transaction& t) {
      return raise_alert(
          t, {.mailbox = mailbox, .level = AlertLevel::warning, .code = code, .text = text, .remedy = "r"});
    }));
  };
  const auto list = [&](bool open_only) {
    return read<std::vector<Alert>>([&](Transaction& t) { return list_alerts(t, open_only); });
  };
  raise(1, "password", "first");
  clock_.advance(std::chrono::minutes(1));
  raise(1, "password", "second");
  raise(2, "password", "other");
  ASSERT_EQ(list(true).size(), 2u);
  const Alert refreshed = list(true)[1];
  EXPECT_EQ(refreshed.mailbox, 1);
  EXPECT_EQ(refreshed.count, 2);
  EXPECT_EQ(refreshed.text, "second");
  EXPECT_EQ(refreshed.level, AlertLevel::warning);
  EXPECT_EQ(refreshed.remedy, "r");
  EXPECT_EQ(refreshed.at, clock_.now());
  ASSERT_TRUE(act([](Transaction& t) { return clear_alert(t, 1, "password"); }));
  EXPECT_EQ(list(true).size(), 1u);
  raise(1, "password", "third");
  EXPECT_EQ(list(true).size(), 2u);
  EXPECT_EQ(list(false).size(), 3u);
  EXPECT_EQ(list(true)[0].count, 1);
}

using Audit = StoreTest;

TEST_F(Audit, IsKeptWhoeverAsksToChangeIt) {
  for (const char* act_name : {"approve", "enable"})
    ASSERT_TRUE(act([&](Transaction& t) {
      return append_audit(t, {.who = "root", .act = act_name, .object = "anna@example.org", .reason = "why"});
    }));
  const auto list = [&](std::int64_t after, int most) {
    return read<std::vector<AuditEntry>>([&](Transaction& t) { return list_audit(t, after, most); });
  };
  ASSERT_EQ(list(0, 10).size(), 2u);
  EXPECT_EQ(list(0, 1)[0].act, "approve");
  EXPECT_EQ(list(1, 10)[0].act, "enable");
  EXPECT_EQ(list(1, 10)[0].who, "root");
  EXPECT_EQ(list(1, 10)[0].object, "anna@example.org");
  EXPECT_EQ(list(1, 10)[0].reason, "why");
  EXPECT_EQ(list(1, 10)[0].at, clock_.now());
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open((folder_ + "/syncline.db").c_str(), &handle), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(handle, "DELETE FROM audit", nullptr, nullptr, nullptr), SQLITE_CONSTRAINT);
  EXPECT_EQ(sqlite3_exec(handle, "UPDATE audit SET who = 'x'", nullptr, nullptr, nullptr), SQLITE_CONSTRAINT);
  sqlite3_close(handle);
  EXPECT_EQ(list(0, 10).size(), 2u);
}

}  // namespace
}  // namespace syncline::store
