// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/exchange_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "routing/rules/intake/exchange_facts.hpp"

namespace syncline::rules::testing {
namespace {

using ::testing::HasSubstr;

// As Export-Csv writes for Windows programs.
std::string utf16(std::string_view text, bool big_endian = false) {
  std::string out = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  const auto unit = [&](unsigned value) {
    const char low = static_cast<char>(value & 0xFFU);
    const char high = static_cast<char>(value >> 8U);
    out.push_back(big_endian ? high : low);
    out.push_back(big_endian ? low : high);
  };
  while (!text.empty()) {
    const auto c = *text::next_code_point(text);
    text.remove_prefix(c.length);
    if (c.value < 0x10000) {
      unit(static_cast<unsigned>(c.value));
    } else {
      unit(0xD800U + static_cast<unsigned>((c.value - 0x10000) >> 10U));
      unit(0xDC00U + static_cast<unsigned>((c.value - 0x10000) & 0x3FFU));
    }
  }
  return out;
}

class ExchangeRows : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "syncline-rules-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, std::string_view content) {
    const auto path = folder_ / name;
    std::ofstream{path, std::ios::binary} << content;
    return path.string();
  }

  struct Read {
    std::vector<InputRow> rows;
    std::vector<std::string> problems;
  };
  static Read read(const ExchangeExport& files) {
    Read result;
    auto reader = read_exchange_rows(files);
    if (!reader) {
      result.problems.push_back(reader.error());
      return result;
    }
    InputRow row;
    for (int guard = 0; guard < 100; ++guard) {
      const auto more = (*reader)->next(row);
      if (!more) {
        result.problems.push_back(more.error().reason);
        if (more.error().fatal) break;
      } else if (*more) {
        result.rows.push_back(row);
      } else {
        break;
      }
    }
    return result;
  }

  std::filesystem::path folder_;
  static constexpr std::string_view kProfiles =
      "[[profile]]\nname=\"Basement\"\ntype=\"exchange_hybrid\"\nrecipient_types=[\"UserMailbox\","
      "\"SharedMailbox\"]\n"
      "[[profile]]\nname=\"Cloud\"\ntype=\"exchange_online\"\nrecipient_types=[\"RemoteUserMailbox\"]\n";
};

TEST_F(ExchangeRows, ReadWhatPowerShellWritesInUtf16WithATypeLineAndSemicolons) {
  const std::string text =
      "#TYPE Microsoft.Exchange.Data.Directory.Management.Mailbox\r\n"
      "\"DisplayName\";\"PrimarySmtpAddress\";\"RecipientTypeDetails\";\"ServerName\";\"ExchangeVersion\";"
      "\"Notes\"\r\n"
      "\"Ana \"\"A\"\" 😀\";\"ana@contoso.example\";\"UserMailbox\";\"EX01\";\"0.20 "
      "(15.0.0.0)\";\"two\r\nlines; one cell\"\r\n"
      "\"Hall\";\"hall@contoso.example\";\"SharedMailbox\";\"ex02\";\"0.20 (15.0.0.0)\";\"\"\r\n";
  const std::string servers =
      "\"Name\",\"AdminDisplayVersion\"\r\n\"EX01\",\"Version 15.2 (Build 1118.7)\"\r\n\"EX02\",\"Version "
      "15.1 (Build 32507.6)\"\r\n";
  for (const bool big_endian : {false, true}) {
    const Read result =
        read({file("m.csv", utf16(text, big_endian)), file("s.csv", servers), file("p.toml", kProfiles), ""});
    ASSERT_EQ(result.rows.size(), 2U) << (result.problems.empty() ? "" : result.problems[0]);
    const FieldValues& ana = result.rows[0].given;
    EXPECT_EQ(ana.printed(Field::mbx_address), "ana@contoso.example");
    EXPECT_EQ(ana.printed(Field::mbx_host), "exchange_onprem");
    EXPECT_EQ(ana.printed(Field::mbx_exchange_version), "2019") << "the server's, not the directory object's";
    EXPECT_EQ(ana.printed(Field::prof_name), "Basement");
    EXPECT_EQ(ana.printed(Field::prof_type), "exchange_hybrid");
    const FieldValues& hall = result.rows[1].given;
    EXPECT_EQ(hall.printed(Field::mbx_recipient_type), "shared");
    EXPECT_EQ(hall.printed(Field::mbx_kind), "queue");
    EXPECT_EQ(hall.printed(Field::mbx_exchange_version), "2016");
    EXPECT_TRUE(result.problems.empty());
  }
}

TEST_F(ExchangeRows, LeaveTheVersionEmptyWithoutTheServers) {
  const Read result = read({file("m.csv",
                                 "PrimarySmtpAddress,RecipientTypeDetails,ServerName,ExchangeVersion\n"
                                 "ana@contoso.example,UserMailbox,EX01,0.20 (15.0.0.0)\n"),
                            "", file("p.toml", kProfiles), ""});
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_TRUE(result.rows[0].given.is_empty(Field::mbx_exchange_version));
}

TEST_F(ExchangeRows, PlaceMailboxesByTheirRecipientType) {
  const Read result = read({file("m.csv",
                                 "PrimarySmtpAddress,RecipientTypeDetails,OriginatingServer\n"
                                 "a@b.example,RemoteUserMailbox,\n"
                                 "c@b.example,UserMailbox,AM0PR01A.EURPR01A001.prod.outlook.com\n"
                                 "d@gmail.com,MailUser,\n"
                                 "e@b.example,MailUniversalDistributionGroup,\n"
                                 "f@b.example,DiscoveryMailbox,\n"
                                 "g@b.example,Martian,\n"),
                            "", file("p.toml", kProfiles), ""});
  ASSERT_EQ(result.rows.size(), 4U) << "mailboxes of Exchange itself are nobody's";
  EXPECT_EQ(result.rows[0].given.printed(Field::mbx_host), "exchange_online");
  EXPECT_EQ(result.rows[0].given.printed(Field::prof_name), "Cloud");
  EXPECT_EQ(result.rows[1].given.printed(Field::mbx_host), "exchange_online");
  EXPECT_EQ(result.rows[2].given.printed(Field::mbx_host), "gmail");
  EXPECT_EQ(result.rows[2].given.printed(Field::mbx_external_target), "yes");
  EXPECT_TRUE(result.rows[2].given.is_empty(Field::prof_type));
  EXPECT_EQ(result.rows[3].given.printed(Field::mbx_recipient_type), "distribution_list");
  ASSERT_EQ(result.problems.size(), 1U);
  EXPECT_THAT(result.problems[0], HasSubstr("Martian"));
}

TEST_F(ExchangeRows, FollowTheMapAndTakeItsOtherColumns) {
  const Read result = read({file("m.csv",
                                 "PrimarySmtpAddress,RecipientTypeDetails\na@b.example,UserMailbox\n"
                                 "c@b.example,UserMailbox\nd@b.example,UserMailbox\n"),
                            "", file("p.toml", kProfiles),
                            file("map.csv",
                                 "mailbox,profile,mbx_mfa,req_act\nA@B.example,Cloud,yes,none\n"
                                 "c@b.example,Nowhere,,\nlost@b.example,Cloud,,\n")});
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[0].given.printed(Field::prof_name), "Cloud");
  EXPECT_EQ(result.rows[0].given.printed(Field::mbx_mfa), "yes");
  EXPECT_EQ(result.rows[0].given.printed(Field::req_act), "none");
  EXPECT_EQ(result.rows[1].given.printed(Field::prof_name), "Basement") << "not in the map: by its type";
  ASSERT_EQ(result.problems.size(), 2U);
  EXPECT_THAT(result.problems[0], HasSubstr("Nowhere"));
  EXPECT_THAT(result.problems[1], HasSubstr("lost@b.example"));
}

TEST_F(ExchangeRows, SayWhatIsWrongWithTheirFiles) {
  const std::string mailboxes = file("m.csv", "PrimarySmtpAddress,RecipientTypeDetails\n");
  const std::string profiles = file("p.toml", kProfiles);
  const auto first = [](const Read& result) {
    return result.problems.empty() ? std::string{} : result.problems[0];
  };
  EXPECT_THAT(first(read({"/nowhere.csv", "", profiles, ""})), HasSubstr("cannot be opened"));
  EXPECT_THAT(first(read({mailboxes, "", "/nowhere.toml", ""})), HasSubstr("cannot be opened"));
  EXPECT_THAT(first(read({file("x.csv", "DisplayName\n"), "", profiles, ""})),
              HasSubstr("PrimarySmtpAddress"));
  EXPECT_THAT(first(read({file("x.csv", ""), "", profiles, ""})), HasSubstr("empty"));
  EXPECT_THAT(first(read({mailboxes, file("s.csv", "Server\n"), profiles, ""})), HasSubstr("Name"));
  EXPECT_THAT(first(read({mailboxes, "", profiles, file("map.csv", "mailbox,profile,mbx_mf\n")})),
              HasSubstr("mbx_mf"));
  EXPECT_THAT(first(read({mailboxes, "", profiles, file("map.csv", "mailbox,profile\na@b.c,P\nA@b.c,P\n")})),
              HasSubstr("twice"));
  EXPECT_THAT(first(read({mailboxes, "", file("q.toml", "[[profile]]\ntype=\"gmail\"\n"), ""})),
              HasSubstr("name"));
  EXPECT_THAT(first(read({mailboxes, "", file("q.toml", "[[profile]]\nname=\"x\"\ntype=\"gmial\"\n"), ""})),
              HasSubstr("gmial"));
  EXPECT_THAT(first(read({mailboxes, "", file("q.toml", "[server]\nx=1\n"), ""})), HasSubstr("server"));
}

TEST(ExchangeVersion, ComesFromTheBuildOfTheServer) {
  EXPECT_EQ(exchange_version("Version 6.5 (Build 7638.2: Service Pack 2)"), Word::v2003);
  EXPECT_EQ(exchange_version("Version 8.3 (Build 83.6)"), Word::v2007);
  EXPECT_EQ(exchange_version("Version 14.2 (Build 247.5)"), Word::v2010);
  EXPECT_EQ(exchange_version("Version 14.3 (Build 123.4)"), Word::v2010sp3);
  EXPECT_EQ(exchange_version("Version 15.0 (Build 775.38)"), Word::v2013);
  EXPECT_EQ(exchange_version("Version 15.0 (Build 847.32)"), Word::v2013sp1);
  EXPECT_EQ(exchange_version("Version 15.0 (Build 1365.1)"), Word::v2013cu19);
  EXPECT_EQ(exchange_version("Version 15.1 (Build 1261.35)"), Word::v2016rtm);
  EXPECT_EQ(exchange_version("Version 15.1 (Build 31415.2)"), Word::v2016);
  EXPECT_EQ(exchange_version("15.02.1118.007"), Word::v2019);
  EXPECT_EQ(exchange_version("Version 15.2 (Build 2562.17)"), Word::se);
  EXPECT_EQ(exchange_version("Version 15.20 (Build 9340.16)"), std::nullopt) << "Exchange Online";
  EXPECT_EQ(exchange_version(""), std::nullopt);
  EXPECT_EQ(exchange_version("Version 99999999999999999999.1"), std::nullopt);
}

}  // namespace
}  // namespace syncline::rules::testing
