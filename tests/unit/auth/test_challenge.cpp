// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include "auth/challenge.hpp"

namespace syncline::auth {
namespace {

std::vector<Challenge> parse(std::vector<std::string> values) {
  return parse_challenges(values);
}

TEST(Challenge, ReadsTheListAnExchangeServerSends) {
  const auto found = parse({"Negotiate", "NTLM", "Basic realm=\"mail.example.com\""});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].scheme, "negotiate");
  EXPECT_EQ(found[1].scheme, "ntlm");
  EXPECT_EQ(found[2].scheme, "basic");
  EXPECT_EQ(found[2].find("realm"), "mail.example.com");
}

TEST(Challenge, SeparatesSeveralInOneValueFromParameters) {
  const auto found =
      parse({"Basic realm=\"a, b=c\", charset=\"UTF-8\", Negotiate, Bearer client_id=x, error=\"e\\\"f\""});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].find("realm"), "a, b=c");
  EXPECT_EQ(found[0].find("charset"), "UTF-8");
  EXPECT_EQ(found[1].scheme, "negotiate");
  EXPECT_TRUE(found[1].parameters.empty());
  EXPECT_EQ(found[2].find("client_id"), "x");
  EXPECT_EQ(found[2].find("error"), "e\"f");
}

TEST(Challenge, TellsATokenFromAParameter) {
  const auto found = parse({"NTLM TlRMTVNTUAACAAAA==, Digest a=b", "Negotiate YII="});
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].token68, "TlRMTVNTUAACAAAA==");
  EXPECT_EQ(found[1].token68, "");
  EXPECT_EQ(found[1].find("a"), "b");
  EXPECT_EQ(found[2].token68, "YII=");
}

TEST(Challenge, PassesOverWhatIsNoChallengeAndKeepsTheGoodOne) {
  for (const std::string broken :
       {"", ",,,", "\"", "=", "=x", "\x01\x02", "Basic realm=\"unfinished", "\\", "@@@, ,"}) {
    const auto found = parse({broken, "NTLM"});
    ASSERT_FALSE(found.empty()) << broken;
    EXPECT_EQ(found.back().scheme, "ntlm") << broken;
  }
}

TEST(Challenge, KeepsNoMoreThanItsLimits) {
  std::string schemes;
  std::string parameters = "Digest ";
  for (int i = 0; i < 1000; ++i) {
    schemes += "S" + std::to_string(i) + ", ";
    parameters += "p" + std::to_string(i) + "=1, ";
  }
  EXPECT_EQ(parse({schemes}).size(), 32U);
  const auto one = parse({parameters});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].parameters.size(), 64U);
}

}  // namespace
}  // namespace syncline::auth
