// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "sync/plan/mail_owner.hpp"

namespace syncline::sync::plan {
namespace {

using People = std::vector<std::vector<std::string>>;

struct Case {
  std::string_view what;
  bool is_shared;
  People listed;  ///< To, Cc, Bcc
  std::string_view related;
  std::string_view sender;
  std::string_view owner;
  std::string_view reason;
};

TEST(OwnerOfAMessage, IsWhomTheRuleSays) {
  const Case cases[] = {
      {"a user's own mail", false, {{"bert"}, {"anna"}, {}}, "bert", "bert", "mailboxes", "mailbox"},
      {"nobody is listed", true, {{}, {}, {}}, "bert", "carl", "mailboxes", "mailbox"},
      {"no lists", true, {}, "bert", "carl", "mailboxes", "mailbox"},
      {"the first listed", true, {{"anna", "bert"}, {}, {}}, "", "", "anna", "recipient"},
      {"the related one before", true, {{"anna", "bert", "carl"}, {}, {}}, "carl", "bert", "carl", "related"},
      {"the sender's before", true, {{"anna", "bert"}, {}, {}}, "carl", "bert", "bert", "sender"},
      {"the related is not listed", true, {{"anna", "bert"}, {}, {}}, "carl", "dora", "anna", "recipient"},
      {"only the first list counts", true, {{"anna"}, {"bert"}, {}}, "bert", "bert", "anna", "recipient"},
      {"Cc where To names nobody", true, {{}, {"anna", "bert"}, {"carl"}}, "bert", "", "bert", "related"},
      {"Bcc last", true, {{}, {}, {"carl"}}, "anna", "anna", "carl", "recipient"},
  };
  for (const Case& one : cases) {
    const OwnerDecision decision = owner_of({.mailbox_owner = "mailboxes",
                                             .is_shared = one.is_shared,
                                             .listed = one.listed,
                                             .related_owner = one.related,
                                             .sender_owner = one.sender});
    EXPECT_EQ(decision.owner, one.owner) << one.what;
    EXPECT_EQ(decision.reason, one.reason) << one.what;
  }
}

TEST(MatchOfAnAddress, IsTheOwnRecordThenTheOldest) {
  EXPECT_EQ(match_of({}, "anna").record, 0);
  const Match only = match_of({{7, "bert"}}, "anna");
  EXPECT_EQ(only.record, 7);
  EXPECT_FALSE(only.is_one_of_several);
  const Match own = match_of({{7, "bert"}, {8, "anna"}, {9, "carl"}}, "anna");
  EXPECT_EQ(own.record, 8);
  EXPECT_FALSE(own.is_one_of_several);
  const Match owns = match_of({{7, "bert"}, {8, "anna"}, {9, "anna"}}, "anna");
  EXPECT_EQ(owns.record, 8);
  EXPECT_TRUE(owns.is_one_of_several);
  const Match others = match_of({{7, "bert"}, {9, "carl"}}, "anna");
  EXPECT_EQ(others.record, 7);
  EXPECT_TRUE(others.is_one_of_several);
}

TEST(MatchOfAnAddress, IsNobodyWhereTooManyHoldIt) {
  std::vector<AddressHolder> many(most_candidates, {7, "bert"});
  EXPECT_EQ(match_of(many, "anna").record, 7);
  many.push_back({8, "anna"});
  EXPECT_EQ(match_of(many, "anna").record, 0);
  EXPECT_TRUE(match_of(many, "anna").is_one_of_several);
}

}  // namespace
}  // namespace syncline::sync::plan
