// SPDX-License-Identifier: GPL-3.0-or-later
#include "store/configuration.hpp"

#include "store/cursors.hpp"
#include "store/journal.hpp"
#include "store/operations.hpp"
#include "store_fixture.hpp"

namespace syncline::store {
namespace {

using Configuration = StoreTest;

TEST_F(Configuration, KeepsSettingsByName) {
  const auto find = [&] {
    return read<std::optional<std::string>>([](Transaction& t) { return find_setting(t, "policies"); });
  };
  EXPECT_FALSE(find());
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "policies", "{}"); }));
  ASSERT_TRUE(act([](Transaction& t) { return put_setting(t, "policies", R"({"a":1})"); }));
  EXPECT_EQ(find(), R"({"a":1})");
}

TEST_F(Configuration, KeepsProfilesUntilNoMailboxHasThem) {
  const auto put = [&](const ProfileRow& row) {
    return write<std::int64_t>([&](Transaction& t) { return put_profile(t, row); });
  };
  const auto id = put({.name = "head office", .json = "{}"});
  ASSERT_TRUE(id);
  EXPECT_EQ(code_of(put({.name = "head office"})), "name-taken");
  EXPECT_EQ(put({.id = *id, .name = "office", .json = "{1}"}), *id);
  EXPECT_EQ(code_of(put({.id = 99, .name = "x"})), "no-profile");
  const auto found =
      read<std::optional<ProfileRow>>([](Transaction& t) { return find_profile(t, "office"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->json, "{1}");
  EXPECT_FALSE(
      read<std::optional<ProfileRow>>([](Transaction& t) { return find_profile(t, "head office"); }));
  EXPECT_EQ(read<std::vector<ProfileRow>>([](Transaction& t) { return list_profiles(t); }).size(), 1u);

  const auto mailbox =
      write<MailboxId>([&](Transaction& t) { return put_mailbox(t, {.address = "a@x", .profile = *id}); });
  ASSERT_TRUE(mailbox);
  EXPECT_EQ(code_of(act([&](Transaction& t) { return delete_profile(t, *id); })), "profile-in-use");
  ASSERT_TRUE(act([&](Transaction& t) { return delete_mailbox(t, *mailbox); }));
  EXPECT_TRUE(act([&](Transaction& t) { return delete_profile(t, *id); }));
  EXPECT_TRUE(read<std::vector<ProfileRow>>([](Transaction& t) { return list_profiles(t); }).empty());
}

TEST_F(Configuration, KeepsMailboxesByAddressInAnyCase) {
  const auto put = [&](const MailboxRow& row) {
    return write<MailboxId>([&](Transaction& t) { return put_mailbox(t, row); });
  };
  const auto id = put({.address = "Anna@Example.org", .json = "{}"});
  ASSERT_TRUE(id);
  EXPECT_EQ(code_of(put({.address = "anna@example.ORG"})), "address-taken");
  EXPECT_EQ(code_of(put({.id = 99, .address = "x@y"})), "no-mailbox");
  EXPECT_EQ(code_of(put({.address = "x@y", .profile = 99})), "no-reference");
  EXPECT_EQ(put({.id = *id, .address = "anna@example.org", .enabled = true, .json = "{2}"}), *id);
  ASSERT_TRUE(act([&](Transaction& t) { return put_mailbox_state(t, *id, R"({"lag":3})"); }));
  EXPECT_EQ(code_of(act([](Transaction& t) { return put_mailbox_state(t, 99, ""); })), "no-mailbox");
  const auto found =
      read<std::optional<MailboxRow>>([](Transaction& t) { return find_mailbox(t, "ANNA@example.org"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, *id);
  EXPECT_EQ(found->address, "anna@example.org");
  EXPECT_EQ(found->profile, 0);
  EXPECT_TRUE(found->enabled);
  EXPECT_EQ(found->json, "{2}");
  EXPECT_EQ(found->state, R"({"lag":3})");
  EXPECT_TRUE(read<std::optional<MailboxRow>>([&](Transaction& t) { return find_mailbox(t, *id); }));
  EXPECT_FALSE(read<std::optional<MailboxRow>>([&](Transaction& t) { return find_mailbox(t, *id + 1); }));
  EXPECT_EQ(read<std::vector<MailboxRow>>([](Transaction& t) { return list_mailboxes(t); }).size(), 1u);
}

TEST_F(Configuration, DeletesAMailboxWithWhatIsItsButNotItsRecordsAndJournal) {
  const MailboxId mailbox = make_mailbox();
  const auto record = make_record(model::RecordKind::task, R"({"subject":"stays"})");
  ASSERT_TRUE(act([&](Transaction& t) -> Result<void> {
    auto link = insert_link(t, {.record = record.id,
                                .mailbox = mailbox,
                                .kind = model::RecordKind::task,
                                .folder = "tasks",
                                .remote_id = "a",
                                .base = record.fields});
    if (!link) return fail(link.error());
    for (const auto& done :
         {put_cursor(t, {.mailbox = mailbox, .folder = "tasks"}),
          insert_operation(t, {.id = "o", .mailbox = mailbox, .record = record.id, .link = link->id}),
          put_quarantined(t, {.mailbox = mailbox, .item = "bad"}),
          raise_alert(t, {.mailbox = mailbox, .code = "c"}),
          append_journal(t, {.mailbox = mailbox, .event = "tracked"})})
      if (!done) return done;
    return {};
  }));
  auto deleted = act([&](Transaction& t) { return delete_mailbox(t, mailbox); });
  ASSERT_TRUE(deleted) << deleted.error().describe();
  EXPECT_FALSE(read<std::optional<Link>>([&](Transaction& t) { return find_link(t, mailbox, "a"); }));
  EXPECT_TRUE(read<std::vector<Cursor>>([&](Transaction& t) { return list_cursors(t, mailbox); }).empty());
  EXPECT_FALSE(read<std::optional<Operation>>([](Transaction& t) { return find_operation(t, "o"); }));
  EXPECT_TRUE(read<std::vector<Quarantined>>([](Transaction& t) {
                return list_quarantine(t, std::nullopt);
              }).empty());
  EXPECT_TRUE(read<std::vector<Alert>>([](Transaction& t) { return list_alerts(t, false); }).empty());
  EXPECT_TRUE(read<std::optional<model::Record>>([&](Transaction& t) { return find_record(t, record.id); }));
  EXPECT_EQ(read<std::vector<JournalEntry>>([](Transaction& t) { return list_journal(t, {}); }).size(), 1u);
  EXPECT_TRUE(store_->check());
  EXPECT_GT(make_mailbox(), mailbox) << "ids are not given again: the journal speaks of the old one";
}

TEST_F(Configuration, KeepsSealedOctetsAsTheyAre) {
  const std::string octets("\0\xff\x01'", 4);
  const auto find = [&](std::string_view name) {
    return read<std::optional<std::string>>([&](Transaction& t) { return find_sealed(t, name); });
  };
  ASSERT_TRUE(act([&](Transaction& t) -> Result<void> {
    for (const auto& done :
         {put_sealed(t, "profile/a_b/password", "x"), put_sealed(t, "profile/a_b/password", octets),
          put_sealed(t, "profile/aXb/password", ""), put_sealed(t, "mailbox/a", "y")})
      if (!done) return done;
    return {};
  }));
  EXPECT_EQ(find("profile/a_b/password"), octets);
  EXPECT_EQ(find("profile/aXb/password"), "");
  EXPECT_FALSE(find("nothing"));
  const auto list = [&](std::string_view prefix) {
    return read<std::vector<std::string>>([&](Transaction& t) { return list_sealed(t, prefix); });
  };
  EXPECT_EQ(list("profile/a_"), std::vector<std::string>{"profile/a_b/password"}) << "no wildcards";
  EXPECT_EQ(list("").size(), 3u);
  ASSERT_TRUE(act([](Transaction& t) { return delete_sealed(t, "mailbox/a"); }));
  EXPECT_EQ(list("").size(), 2u);
}

}  // namespace
}  // namespace syncline::store
