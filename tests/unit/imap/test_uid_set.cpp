// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/imap/uid_set.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

namespace syncline::imap {
namespace {

UidSet parsed(std::string_view text) {
  return UidSet::parse(text, 1000).value();
}

TEST(UidSet, ReadsWhatServersSend) {
  EXPECT_EQ(parsed("1:3,5,4").to_string(), "1:5");
  EXPECT_EQ(parsed("9:7,1").to_string(), "1,7:9");
  EXPECT_EQ(parsed("4294967295").to_string(), "4294967295");
  EXPECT_EQ(parsed("1:4294967295").size(), 4294967295U);
  EXPECT_EQ(parsed("5:5,5,5:5").to_string(), "5");
}

TEST(UidSet, RefusesWhatIsNoSet) {
  for (const char* text :
       {"", "0", "1:", ":1", "1,,2", "1,", "*", "1:*", "a", "1 2", "-1", "4294967296", "0:5"})
    EXPECT_FALSE(UidSet::parse(text, 1000)) << text;
  EXPECT_FALSE(UidSet::parse("1,3,5", 2));
  EXPECT_TRUE(UidSet::parse("1,2,3", 2)) << "one range";
}

TEST(UidSet, AFolderOfFourBillionCostsOneRange) {
  const UidSet all = UidSet::range(1, std::numeric_limits<Uid>::max());
  EXPECT_EQ(all.ranges().size(), 1U);
  EXPECT_TRUE(all.contains(4'000'000'000U));
  EXPECT_EQ(all.without(parsed("2:4294967294")).to_string(), "1,4294967295");
  EXPECT_TRUE(all.without(all).empty());
  EXPECT_EQ(all.uids(3), (std::vector<Uid>{1, 2, 3}));
  EXPECT_EQ(UidSet::range(4294967294U, 4294967295U).uids(10), (std::vector<Uid>{4294967294U, 4294967295U}));
}

TEST(UidSet, DoesWhatASetDoes) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::set<Uid> a_model;
    std::set<Uid> b_model;
    UidSet a;
    UidSet b;
    const auto fill = [&](std::set<Uid>& model, UidSet& set) {
      for (int i = 0; i < 12; ++i) {
        const Uid first = 1 + random() % 60;
        const Uid last = std::min<Uid>(60, first + random() % 6);
        for (Uid uid = first; uid <= last; ++uid) model.insert(uid);
        if (random() % 2 == 0)
          set.add(last, first);
        else
          set.add(UidSet::range(first, last));
      }
    };
    fill(a_model, a);
    fill(b_model, b);
    EXPECT_EQ(a.uids(1000), std::vector<Uid>(a_model.begin(), a_model.end()));
    EXPECT_EQ(a.size(), a_model.size());
    EXPECT_EQ(parsed(a.to_string()), a);
    for (Uid uid = 0; uid <= 61; ++uid) {
      ASSERT_EQ(a.contains(uid), a_model.contains(uid)) << a.to_string() << " " << uid;
      ASSERT_EQ(a.without(b).contains(uid), a_model.contains(uid) && !b_model.contains(uid));
      ASSERT_EQ(a.and_also(b).contains(uid), a_model.contains(uid) && b_model.contains(uid));
    }
    UidSet both = a;
    both.add(b);
    for (Uid uid = 0; uid <= 61; ++uid)
      ASSERT_EQ(both.contains(uid), a_model.contains(uid) || b_model.contains(uid));
    for (std::size_t i = 1; i < both.ranges().size(); ++i)
      EXPECT_GT(both.ranges()[i].first, both.ranges()[i - 1].last + 1);
  }
}

}  // namespace
}  // namespace syncline::imap
