// SPDX-License-Identifier: GPL-3.0-or-later
#include "organisation_fixture.hpp"

namespace syncline::service {
namespace {

namespace json = boost::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string defaults = "[defaults]\nmail_out = \"none\"\nstart_date = 2026-11-01\n";

class Defaults : public testing::OrganisationFixture {};

TEST_F(Defaults, ANewMailboxGetsWhatItDoesNotSay) {
  applied(defaults + testing::mail_host_file(1) +
          "[[mailbox]]\naddress = \"own@contoso.example\"\nprofile = \"Host\"\n"
          "act = \"none\"\nmail_out = \"sss\"\n");
  EXPECT_EQ(settings("m0@contoso.example").at("mail_out"), json::value("none"));
  EXPECT_EQ(settings("m0@contoso.example").at("start_date"), json::value("2026-11-01"));
  EXPECT_EQ(settings("own@contoso.example").at("mail_out"), json::value("sss"));
}

TEST_F(Defaults, TheSameFileAgainChangesNothingAndSoDoesWhatIsExported) {
  const std::string text = defaults + testing::mail_host_file(2);
  EXPECT_TRUE(applied(text).applied);
  EXPECT_TRUE(applied(text).changes.empty());
  const std::string exported = write_apply_file(stored().configuration);
  EXPECT_THAT(exported, HasSubstr("[defaults]\nmail_out = \"none\"\nstart_date = 2026-11-01\n"));
  EXPECT_TRUE(applied(exported).changes.empty());
}

TEST_F(Defaults, ThoseThatAreThereKeepWhatTheyHaveUntilTheyAreGivenTheDefaults) {
  applied(testing::mail_host_file(2));
  const std::string text = defaults + testing::mail_host_file(3);
  const ApplyOutcome outcome = applied(text);
  EXPECT_EQ(outcome.changes.size(), 2U) << "the defaults and the third mailbox";
  EXPECT_FALSE(settings("m0@contoso.example").contains("mail_out"));
  EXPECT_EQ(settings("m2@contoso.example").at("mail_out"), json::value("none"));

  auto preview = apply_defaults(*organisation, {"M0@contoso.example"}, true, {"admin"});
  ASSERT_TRUE(preview) << preview.error().describe();
  EXPECT_FALSE(preview->applied);
  ASSERT_EQ(preview->changes.size(), 1U);
  EXPECT_EQ(preview->changes[0].name, "m0@contoso.example");
  EXPECT_EQ(preview->changes[0].fields.size(), 2U);
  ASSERT_EQ(preview->judged.size(), 1U) << "verdicts of those that are chosen";
  EXPECT_FALSE(settings("m0@contoso.example").contains("mail_out"));

  auto done = apply_defaults(*organisation, {"m0@contoso.example"}, false, {"admin", "ticket 7"});
  ASSERT_TRUE(done && done->applied);
  EXPECT_EQ(settings("m0@contoso.example").at("mail_out"), json::value("none"));
  EXPECT_FALSE(settings("m1@contoso.example").contains("mail_out"));
  EXPECT_THAT(audit(),
              Contains("admin apply.change mailbox m0@contoso.example: mail_out, start_date: ticket 7"));
  EXPECT_TRUE(applied(text).changes.empty()) << "the file that says nothing of it leaves it so";
}

TEST_F(Defaults, WithoutDefaultsThereIsNothingToGive) {
  applied(testing::mail_host_file(1));
  EXPECT_EQ(apply_defaults(*organisation, {"m0@contoso.example"}, false, {"admin"}).error().code,
            "no-defaults");
}

TEST_F(Defaults, WhatIsAMailboxsOwnIsNoDefaultAndAProfileHasToBeThere) {
  for (const char* line : {"address = \"a@b.example\"", "kind = \"queue\"", "owner = \"a@b.example\"",
                           "user_name = \"x\"", "profile = \"Elsewhere\""}) {
    std::istringstream input("[defaults]\n" + std::string(line) + "\n" + testing::mail_host_file(1));
    EXPECT_FALSE(read_apply_file(input)) << line;
  }
}

TEST_F(Defaults, OneChangeOfManyMailboxesIsAllOrNothing) {
  applied(testing::mail_host_file(3));
  const std::vector<std::string> all = {"m0@contoso.example", "m1@contoso.example", "m2@contoso.example"};
  auto done =
      set_mailboxes(*organisation, all,
                    {{"mail_out", "none"}, {"policy.mail.track", "all"}, {"policy.sync.adopt_tasks", "none"}},
                    false, {"admin"});
  ASSERT_TRUE(done) << done.error().describe();
  ASSERT_TRUE(done->applied);
  for (const std::string& address : all) {
    EXPECT_EQ(settings(address).at("mail_out"), json::value("none"));
    EXPECT_EQ(settings(address).at("policy").at("mail").at("track"), json::value("all"));
  }
  // null takes it back; what else the policy says stays.
  done = set_mailboxes(*organisation, {all[0]}, {{"mail_out", nullptr}, {"policy.mail.track", nullptr}},
                       false, {"admin"});
  ASSERT_TRUE(done && done->applied);
  EXPECT_FALSE(settings(all[0]).contains("mail_out"));
  EXPECT_EQ(settings(all[0]).at("policy").at("sync").at("adopt_tasks"), json::value("none"));

  const json::object before = settings(all[1]);
  for (const SettingChange& wrong :
       {SettingChange{"no_such", "x"}, SettingChange{"mail_out", "sideways"},
        SettingChange{"policy.mail.track", "maybe"}, SettingChange{"policy.none.track", "all"},
        SettingChange{"profile", "Elsewhere"}, SettingChange{"address", "other@contoso.example"}}) {
    auto refused = set_mailboxes(*organisation, all, {{"start_date", "2026-11-02"}, wrong}, false, {"admin"});
    ASSERT_FALSE(refused) << wrong.key;
    EXPECT_EQ(refused.error().code, "bad-setting") << wrong.key;
    EXPECT_EQ(refused.error().domain, ErrorDomain::input);
  }
  EXPECT_EQ(settings(all[1]), before);
  EXPECT_EQ(set_mailboxes(*organisation, {"nobody@contoso.example"}, {{"mail_out", "none"}}, false, {"admin"})
                .error()
                .code,
            "no-mailbox");
}

TEST_F(Defaults, AChangeThatTheRulesRejectChangesNothing) {
  applied(testing::mail_host_file(2));
  // Appointments are not a mail host's.
  auto refused = set_mailboxes(*organisation, {"m0@contoso.example"}, {{"act", "sss"}}, false, {"admin"});
  ASSERT_TRUE(refused) << refused.error().describe();
  ASSERT_EQ(refused->refusals.size(), 1U);
  EXPECT_EQ(refused->refusals[0].address, "m0@contoso.example");
  EXPECT_FALSE(refused->applied);
  EXPECT_EQ(settings("m0@contoso.example").at("act"), json::value("none"));
}

TEST(SettingValue, IsReadAsTheFileWritesItAndAWordIsAText) {
  const std::pair<const char*, json::value> expected[] = {
      {"sss", "sss"},
      {"\"sss\"", "sss"},
      {"true", true},
      {"5", 5},
      {"[\"A\", \"B\"]", {"A", "B"}},
      {"2026-11-01", "2026-11-01"},
      {"Exchange in the basement", "Exchange in the basement"},
      {"{ mail = { track = \"all\" } }", {{"mail", {{"track", "all"}}}}}};
  for (const auto& [text, value] : expected) {
    auto read = read_setting_value(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(*read, value) << text;
  }
  EXPECT_FALSE(read_setting_value("1\nother = 2"));
}

}  // namespace
}  // namespace syncline::service
