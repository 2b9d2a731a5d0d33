// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/proposal.hpp"

#include <gtest/gtest.h>

#include "rows.hpp"

namespace syncline::rules::testing {
namespace {

struct Rows {
  explicit Rows(std::vector<std::string> stated) {
    for (const std::string& fields : stated) {
      FieldValues values;
      state(values, fields);
      given.push_back(values);
      proposal.add(with_defaults(values, kToday));
    }
    proposal.close();
  }
  std::string dup(std::size_t row) { return std::string{to_string(of(row).mbx_dup)}; }
  Proposal::Computed of(std::size_t row) { return proposal.of(with_defaults(given[row], kToday)); }

  std::vector<FieldValues> given;
  Proposal proposal;
};

TEST(Proposal, SeesOneMailboxTwice) {
  Rows rows{
      {"mbx_address=a@b.c prof_name=P", "mbx_address=A@B.C prof_name=P", "mbx_address=x@b.c prof_name=P"}};
  EXPECT_EQ(rows.dup(0), "two_users");
  EXPECT_EQ(rows.dup(1), "two_users") << "letter case does not make another mailbox";
  EXPECT_EQ(rows.dup(2), "none");
}

TEST(Proposal, SeesOneMailboxOnTwoProfiles) {
  Rows rows{{"mbx_address=a@b.c prof_name=P", "mbx_address=a@b.c prof_name=Q"}};
  EXPECT_EQ(rows.dup(0), "two_profiles");
  EXPECT_EQ(rows.dup(1), "two_profiles");
}

TEST(Proposal, SeesAUserAndAQueueOfOneAddress) {
  Rows rows{{"mbx_address=a@b.c prof_name=P", "mbx_address=a@b.c prof_name=P mbx_kind=queue"}};
  EXPECT_EQ(rows.dup(0), "user_and_queue");
  EXPECT_EQ(rows.dup(1), "user_and_queue");
}

TEST(Proposal, DoesNotTakeAnUnnamedProfileForAnother) {
  Rows rows{{"mbx_address=a@b.c prof_name=P", "mbx_address=a@b.c"}};
  EXPECT_EQ(rows.dup(0), "two_users");
}

TEST(Proposal, DoesNotCompareMailboxesWithoutAnAddress) {
  Rows rows{{"prof_name=P", "prof_name=P"}};
  EXPECT_EQ(rows.dup(0), "none");
  EXPECT_EQ(rows.of(0).prof_mailbox_count, 2) << "but each is a mailbox of the profile";
}

TEST(Proposal, CountsTheMailboxesOfAProfile) {
  Rows rows{{"mbx_address=a@b.c prof_name=P", "mbx_address=b@b.c prof_name=P",
             "mbx_address=a@b.c prof_name=P", "mbx_address=c@b.c prof_name=Q", "mbx_address=d@b.c"}};
  EXPECT_EQ(rows.of(0).prof_mailbox_count, 2) << "a mailbox that is there twice counts once";
  EXPECT_EQ(rows.of(3).prof_mailbox_count, 1);
  EXPECT_EQ(rows.of(4).prof_mailbox_count, std::nullopt);
}

TEST(Proposal, FindsTheOtherMethodOfTheOrganisation) {
  Rows rows{{"mbx_address=a@b.c prof_type=exchange_online",
             "mbx_address=b@b.c prof_type=exchange_online req_act=outlook",
             "mbx_address=c@b.c prof_type=gmail", "mbx_address=q@b.c mbx_kind=queue req_act=outlook"}};
  EXPECT_EQ(rows.of(0).env_org_act_other, Word::outlook);
  EXPECT_EQ(rows.of(1).env_org_act_other, Word::sss);
  Rows alone{{"mbx_address=a@b.c prof_type=exchange_online", "mbx_address=c@b.c prof_type=gmail"}};
  EXPECT_EQ(alone.of(0).env_org_act_other, Word::none) << "a row is not its own colleague";
}

TEST(Proposal, LetsAStatedValueDecideAndTellsOfTheOther) {
  Rows rows{
      {"mbx_address=a@b.c prof_name=P mbx_dup=none prof_mailbox_count=7", "mbx_address=a@b.c prof_name=P"}};
  FieldValues first = rows.given[0];
  const auto notes = fill_from(rows.proposal, first, kToday);
  EXPECT_TRUE(first.is(Field::mbx_dup, Word::none));
  EXPECT_EQ(first.number(Field::prof_mailbox_count), 7);
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].field, Field::mbx_dup);
  EXPECT_EQ(notes[0].computed, "two_users");
  EXPECT_EQ(notes[1].stated, "7");
  EXPECT_EQ(notes[1].computed, "1");
  FieldValues second = rows.given[1];
  EXPECT_TRUE(fill_from(rows.proposal, second, kToday).empty());
  EXPECT_TRUE(second.is(Field::mbx_dup, Word::two_users));
}

TEST(Proposal, KeepsAHundredThousandRowsInTenMegabytes) {
  Proposal proposal;
  FieldValues given;
  given.set(Field::prof_type, Word::exchange_online);
  given.set_text(Field::prof_name, "Everyone");
  for (int i = 0; i < 100000; ++i) {
    given.set_text(Field::mbx_address, "someone.with.a.long.name." + std::to_string(i) + "@contoso.example");
    proposal.add(with_defaults(given, kToday));
  }
  proposal.close();
  EXPECT_LE(proposal.memory_octets(), 10U * 1000 * 1000);
  EXPECT_EQ(proposal.of(with_defaults(given, kToday)).prof_mailbox_count, 100000);
}

}  // namespace
}  // namespace syncline::rules::testing
