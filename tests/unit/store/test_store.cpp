// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/stat.h>

#include <stdexcept>

#include "store/connection.hpp"
#include "store/cursors.hpp"
#include "store/journal.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

class Transactions : public StoreTest {
 protected:
  /// What a page of a feed brings: a record, its link and the cursor after it.
  static Result<bool> write_page(Transaction& transaction, MailboxId mailbox, int number) {
    const std::string text = std::to_string(number);
    auto record = insert_record(transaction, {.fields = fields(R"({"subject":"page )" + text + "\"}")});
    if (!record) return fail(record.error());
    auto link = insert_link(transaction, {.record = record->id,
                                          .mailbox = mailbox,
                                          .folder = "inbox",
                                          .remote_id = "item-" + text,
                                          .record_version = 1,
                                          .base = record->fields});
    if (!link) return fail(link.error());
    auto cursor = put_cursor(transaction, {.mailbox = mailbox, .folder = "inbox", .text = text});
    if (!cursor) return fail(cursor.error());
    return true;
  }
  /// Records, links and cursor agree: n, n and "n". Returns n.
  int pages_in_step(MailboxId mailbox) {
    const auto records =
        read<std::int64_t>([](Transaction& t) { return count_records(t, model::RecordKind::email); });
    const auto links =
        read<std::int64_t>([&](Transaction& t) { return count_links(t, mailbox, model::RecordKind::email); });
    const auto cursor =
        read<std::optional<Cursor>>([&](Transaction& t) { return find_cursor(t, mailbox, "inbox"); });
    EXPECT_EQ(records, links);
    EXPECT_EQ(cursor ? cursor->text : "0", std::to_string(records));
    return static_cast<int>(records);
  }
};

TEST_F(Transactions, ACommitThatMayWaitIsOnTheDiskWithTheNext) {
  // 2 is FULL, 1 is NORMAL.
  std::vector<std::int64_t> levels;
  const auto note = [&](Transaction& transaction) -> Result<void> {
    auto level = pragma_integer(transaction.impl().handle(), "PRAGMA synchronous");
    if (!level) return fail(std::move(level.error()));
    levels.push_back(*level);
    return {};
  };
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(store_->write<void>(note, Durability::with_the_next));
    ASSERT_TRUE(store_->write<void>(note));
  }
  const std::function<Result<void>(Transaction&)> refuse = [](Transaction&) -> Result<void> {
    return fail(ErrorDomain::local, "refused", "");
  };
  EXPECT_FALSE(store_->write<void>(refuse, Durability::with_the_next));
  ASSERT_TRUE(store_->write<void>(note));
  EXPECT_EQ(levels, (std::vector<std::int64_t>{1, 2, 1, 2, 2}));
}

TEST_F(Transactions, AreRolledBackWhenTheWorkFails) {
  auto failed = write<int>([](Transaction& t) -> Result<int> {
    if (auto put = put_setting(t, "a", "1"); !put) return fail(put.error());
    return fail(ErrorDomain::input, "changed-my-mind", "");
  });
  EXPECT_EQ(code_of(failed), "changed-my-mind");
  EXPECT_EQ(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); }),
            std::nullopt);
}

TEST_F(Transactions, AreRolledBackWhenTheWorkThrowsAndTheStoreGoesOn) {
  EXPECT_THROW((void)act([](Transaction& t) -> Result<void> {
                 (void)put_setting(t, "a", "1").has_value();
                 throw std::runtime_error("oops");
               }),
               std::runtime_error);
  EXPECT_EQ(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); }),
            std::nullopt);
  EXPECT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "2"); }));
}

TEST_F(Transactions, GoOnAfterARefusedRow) {
  const MailboxId mailbox = make_mailbox();
  const auto record = make_record(model::RecordKind::task, "{}");
  const Link link{.record = record.id, .mailbox = mailbox, .kind = model::RecordKind::task, .remote_id = "x"};
  EXPECT_TRUE(act([&](Transaction& t) -> Result<void> {
    if (auto first = insert_link(t, link); !first) return fail(first.error());
    EXPECT_EQ(code_of(insert_link(t, link)), "already-linked");
    return put_setting(t, "after", "1");
  }));
  EXPECT_EQ(
      read<std::int64_t>([&](Transaction& t) { return count_links(t, mailbox, model::RecordKind::task); }),
      1);
  EXPECT_TRUE(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "after"); }));
}

TEST_F(Transactions, WithinOneAnotherAreRefusedInsteadOfWaitingForever) {
  auto outer =
      act([&](Transaction&) { return act([](Transaction& t) { return put_setting(t, "a", "1"); }); });
  EXPECT_EQ(code_of(outer), "nested");
  EXPECT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
}

TEST_F(Transactions, ForReadingSeeOneMomentBesideAWriter) {
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "old"); }));
  read<bool>([&](Transaction& t) -> Result<bool> {
    EXPECT_EQ(find_setting(t, "a").value(), "old");
    EXPECT_TRUE(act([](Transaction& inner) { return put_setting(inner, "a", "new"); }));
    EXPECT_EQ(find_setting(t, "a").value(), "old");
    return true;
  });
  EXPECT_EQ(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); }), "new");
}

TEST_F(Transactions, ForReadingCannotWrite) {
  auto refused = store_->read<bool>([](Transaction& t) -> Result<bool> {
    if (auto put = put_setting(t, "a", "1"); !put) return fail(put.error());
    return true;
  });
  EXPECT_EQ(code_of(refused), "read-only");
}

TEST_F(Transactions, Invariant1CursorAndDataMoveTogetherWhereverThePageIsStopped) {
  const MailboxId mailbox = make_mailbox();
  CountedWrites writes;
  open({.durable_writes = &writes});
  int pages = 0;
  for (int step = 1; step <= 6; ++step) {
    writes.count = 0;
    writes.stop_before = step % 2;
    writes.stop_after = 1 - step % 2;
    auto stopped = write<bool>([&](Transaction& t) { return write_page(t, mailbox, pages + 1); });
    EXPECT_EQ(code_of(stopped), "stopped");
    EXPECT_EQ(writes.count, 1) << "one commit for the whole page";
    EXPECT_EQ(writes.last, "commit");
    if (writes.stop_after) ++pages;
    EXPECT_EQ(pages_in_step(mailbox), pages);
  }
}

TEST_F(Transactions, Invariant1CursorAndDataSurviveAKilledProcessTogether) {
  const MailboxId mailbox = make_mailbox();
  store_.reset();
  int pages = 0;
  for (const bool after : {false, true, false, true}) {
    const int status = in_child([&] {
      CountedWrites writes;
      (after ? writes.stop_after : writes.stop_before) = 1;
      writes.instead = [] { ::kill(::getpid(), SIGKILL); };
      auto store = Store::open(folder_, clock_, random_, {.durable_writes = &writes});
      if (!store) return 1;
      (void)(*store)
          ->write<bool>([&](Transaction& t) { return write_page(t, mailbox, pages + 1); })
          .has_value();
      return 2;
    });
    ASSERT_EQ(status, 128 + SIGKILL);
    if (after) ++pages;
    open({});
    EXPECT_EQ(pages_in_step(mailbox), pages);
    EXPECT_TRUE(store_->check());
    store_.reset();
  }
}

TEST_F(Transactions, ThatChangeNothingAreNoDurableWrites) {
  CountedWrites writes;
  open({.durable_writes = &writes});
  EXPECT_TRUE(act([](Transaction&) { return Result<void>(); }));
  EXPECT_EQ(writes.count, 0);
  EXPECT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  EXPECT_EQ(writes.count, 1);
}

TEST_F(Transactions, NeedTheMailboxTheySpeakOf) {
  auto refused = act([](Transaction& t) { return put_cursor(t, {.mailbox = 12, .folder = "inbox"}); });
  EXPECT_EQ(code_of(refused), "no-reference");
}

using StoreFolder = StoreTest;

TEST_F(StoreFolder, IsForItsOwnerOnly) {
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  struct stat status {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  for (const char* name : {"/syncline.db", "/syncline.db-wal", "/syncline.db-shm"}) {
    ASSERT_EQ(::stat((folder_ + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(StoreFolder, KeepsTheIdOfItsOrganisation) {
  const std::string id = store_->organisation_id();
  EXPECT_EQ(id.size(), 36u);
  open({});
  EXPECT_EQ(store_->organisation_id(), id);
  open({.read_only = true});
  EXPECT_EQ(store_->organisation_id(), id);
}

TEST_F(StoreFolder, MayBeOpenedForReadingBesideTheEngine) {
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  auto beside = Store::open(folder_, clock_, random_, {.read_only = true});
  ASSERT_TRUE(beside) << beside.error().describe();
  auto found =
      (*beside)->read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); });
  EXPECT_EQ(found.value(), "1");
  auto refused = (*beside)->write<bool>([](Transaction&) -> Result<bool> { return true; });
  EXPECT_EQ(code_of(refused), "read-only");
}

TEST_F(StoreFolder, IsCheckedAndWhole) {
  EXPECT_TRUE(store_->check());
}

TEST_F(StoreFolder, IsBackedUpBesideAWriter) {
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  const std::string target = base_ + "/backup";
  auto written = act([&](Transaction& t) -> Result<void> {
    // The writer's transaction is open: the backup has what was committed before.
    if (auto put = put_setting(t, "a", "2"); !put) return put;
    return store_->backup(target);
  });
  ASSERT_TRUE(written) << written.error().describe();
  EXPECT_EQ(code_of(store_->backup(target)), "target-exists");
  EXPECT_EQ(code_of(store_->backup(folder_)), "target-exists");
  EXPECT_FALSE(std::filesystem::exists(target + "/syncline.db.partial"));
  auto copy = Store::open(target, clock_, random_);
  ASSERT_TRUE(copy) << copy.error().describe();
  EXPECT_TRUE((*copy)->check());
  EXPECT_EQ((*copy)->organisation_id(), store_->organisation_id());
  auto found = (*copy)->read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); });
  EXPECT_EQ(found.value(), "1");
  struct stat status {};
  ASSERT_EQ(::stat((target + "/syncline.db").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(StoreFolder, NeedsNoPlainName) {
  folder_ = base_ + "/a b?c#d%41é";
  open();
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "a", "1"); }));
  open({.read_only = true});
  EXPECT_EQ(read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "a"); }), "1");
}

}  // namespace
}  // namespace syncline::store
