// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/cursors.hpp"

#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using Cursors = StoreTest;

TEST_F(Cursors, ComeBackAndAreReplaced) {
  const MailboxId mailbox = make_mailbox();
  const auto find = [&] {
    return read<std::optional<Cursor>>([&](Transaction& t) { return find_cursor(t, mailbox, "inbox"); });
  };
  EXPECT_FALSE(find());
  Cursor cursor{.mailbox = mailbox, .folder = "inbox", .text = "state-1", .notes = R"({"page":1})"};
  ASSERT_TRUE(act([&](Transaction& t) { return put_cursor(t, cursor); }));
  EXPECT_EQ(find()->text, "state-1");
  EXPECT_EQ(find()->notes, R"({"page":1})");
  EXPECT_FALSE(find()->complete);
  EXPECT_FALSE(find()->resynced_at);
  cursor.text = "state-2";
  cursor.complete = true;
  cursor.resynced_at = clock_.now();
  ASSERT_TRUE(act([&](Transaction& t) { return put_cursor(t, cursor); }));
  EXPECT_EQ(find()->text, "state-2");
  EXPECT_TRUE(find()->complete);
  EXPECT_EQ(find()->resynced_at, clock_.now());
}

TEST_F(Cursors, AreListedByMailboxAndDeleted) {
  const MailboxId anna = make_mailbox();
  const MailboxId boris = make_mailbox("boris@example.org");
  ASSERT_TRUE(act([&](Transaction& t) -> Result<void> {
    for (const auto& [mailbox, folder] : {std::pair(anna, "b"), {anna, "a"}, {boris, "a"}})
      if (auto put = put_cursor(t, {.mailbox = mailbox, .folder = folder}); !put) return put;
    return {};
  }));
  const auto list = [&] {
    return read<std::vector<Cursor>>([&](Transaction& t) { return list_cursors(t, anna); });
  };
  ASSERT_EQ(list().size(), 2u);
  EXPECT_EQ(list()[0].folder, "a");
  ASSERT_TRUE(act([&](Transaction& t) { return delete_cursor(t, anna, "a"); }));
  ASSERT_EQ(list().size(), 1u);
  EXPECT_EQ(list()[0].folder, "b");
}

}  // namespace
}  // namespace syncline::store
