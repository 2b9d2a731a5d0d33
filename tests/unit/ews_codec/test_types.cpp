// SPDX-License-Identifier: GPL-3.0-or-later
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "ews/types/requests.hpp"
#include "ews/types/response_code.hpp"

namespace syncline::ews {
namespace {

TEST(DateTimes, AreReadAsServersWriteThem) {
  EXPECT_EQ(DateTime::parse("1970-01-01T00:00:01Z").unix_ms(), 1000);
  EXPECT_EQ(DateTime::parse("1970-01-01T00:00:00.5Z").unix_ms(), 500);
  EXPECT_EQ(DateTime::parse("1970-01-01T00:00:00.1239999Z").unix_ms(), 123);
  EXPECT_EQ(DateTime::parse("1970-01-01T02:00:00+02:00").unix_ms(), 0);
  EXPECT_EQ(DateTime::parse("1969-12-31T19:00:00-05:00").unix_ms(), 0);
  EXPECT_EQ(DateTime::parse(" 1970-01-02Z ").unix_ms(), 86'400'000);
  EXPECT_EQ(DateTime::parse("1970-01-01T00:01Z").unix_ms(), 60'000);
  EXPECT_EQ(DateTime::parse("0001-01-01T00:00:00Z").unix_ms(), -62'135'596'800'000);
  EXPECT_EQ(DateTime::parse("1601-01-01T00:00:00Z").unix_ms(), -11'644'473'600'000);
  EXPECT_EQ(DateTime::parse("4501-01-01T00:00:00Z").unix_ms(), 79'870'665'600'000);
  EXPECT_EQ(DateTime::parse("2000-02-29T24:00:00Z").unix_ms(),
            DateTime::parse("2000-03-01T00:00:00Z").unix_ms());
}

TEST(DateTimes, WithoutAZoneAreReadingsOfAClock) {
  const auto time = DateTime::parse("2026-07-01T09:30:00");
  EXPECT_EQ(time.form(), DateTime::Form::wall_clock);
  EXPECT_FALSE(time.unix_ms());
  EXPECT_EQ(time.wall_clock_ms(), DateTime::parse("2026-07-01T09:30:00Z").unix_ms());
  EXPECT_NE(time, DateTime::parse("2026-07-01T09:30:00Z"));
}

TEST(DateTimes, ThatAreNoneKeepTheirText) {
  for (const char* text :
       {"", "x", "2026-02-29T00:00:00Z", "2026-00-01", "2026-01-01T25:00:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+15:00", "2026-01-01T00:00:00Zz", "20260101", "-2026-01-01", "2026-1-1"}) {
    EXPECT_FALSE(DateTime::parse(text).valid()) << text;
    EXPECT_EQ(DateTime::parse(text).text(), text);
  }
}

TEST(DateTimes, AreWrittenAsTheyAreRead) {
  for (const std::int64_t ms :
       {0LL, 1LL, -1LL, 1'709'164'800'123LL, -62'135'596'800'000LL, 253'402'300'799'999LL}) {
    EXPECT_EQ(DateTime::parse(DateTime::at(ms).text()).unix_ms(), ms) << DateTime::at(ms).text();
    EXPECT_EQ(DateTime::parse(DateTime::wall_clock(ms).text()).wall_clock_ms(), ms);
  }
  EXPECT_EQ(DateTime::at(1'709'164'800'000).text(), "2024-02-29T00:00:00Z");
  EXPECT_FALSE(DateTime::at(INT64_MAX).valid());
  EXPECT_FALSE(DateTime::at(INT64_MIN).valid());
}

TEST(Dates, PassOverTheirZone) {
  for (const char* text :
       {"2024-05-06", "2024-05-06Z", "2024-05-06+02:00", "2024-05-06-11:00", "2024-05-06T00:00:00Z"})
    EXPECT_EQ(Date::parse(text).to_xml(), "2024-05-06") << text;
  EXPECT_FALSE(Date::parse("2024-05-06X").valid());
  EXPECT_FALSE(Date::of(2023, 2, 29).valid());
}

TEST(Durations, AreBiasesOfZones) {
  EXPECT_EQ(Duration::parse("-PT60M").seconds, -3600);
  EXPECT_EQ(Duration::parse("PT5H30M").seconds, 19'800);
  EXPECT_EQ(Duration::parse("P1DT1S").seconds, 86'401);
  EXPECT_EQ(Duration::parse("PT0S").seconds, 0);
  EXPECT_EQ(Duration::parse("-PT5H").to_xml(), "-PT5H");
  EXPECT_EQ(Duration::of_seconds(-3600).to_xml(), "-PT60M");
  for (const char* text : {"", "P", "PT", "5H", "PT5", "P5H", "PT99999999999999999999S", "PT5H-"})
    EXPECT_FALSE(Duration::parse(text).seconds) << text;
}

TEST(OpenEnums, KeepWhatTheyDoNotKnow) {
  EXPECT_EQ(Open<Importance>::parse("High"), Importance::high);
  const auto odd = Open<Importance>::parse("Enormous");
  EXPECT_FALSE(odd.known());
  EXPECT_EQ(odd.text(), "Enormous");
  EXPECT_NE(odd, Open<Importance>(Importance::high));
}

TEST(ResponseCodes, TheTableSaysWhatMayBeDone) {
  EXPECT_EQ(retry_class_of("ErrorServerBusy"), RetryClass::after);
  EXPECT_EQ(retry_class_of("ErrorInvalidSyncStateData"), RetryClass::resync);
  EXPECT_EQ(retry_class_of("ErrorMimeContentConversionFailed"), RetryClass::quarantine);
  EXPECT_EQ(retry_class_of("ErrorCorruptData"), RetryClass::quarantine);
  EXPECT_EQ(retry_class_of("ErrorItemCorrupt"), RetryClass::quarantine);
  EXPECT_EQ(retry_class_of("ErrorNonExistentMailbox"), RetryClass::rediscover);
  EXPECT_EQ(retry_class_of("ErrorImpersonateUserDenied"), RetryClass::rediscover);
  EXPECT_EQ(retry_class_of("ErrorPasswordExpired"), RetryClass::reauthenticate);
  EXPECT_EQ(retry_class_of("ErrorIrresolvableConflict"), RetryClass::never);
  EXPECT_EQ(retry_class_of("ErrorSchemaValidation"), RetryClass::never);
  EXPECT_EQ(retry_class_of("ErrorQuotaExceeded"), RetryClass::never);
}

TEST(ResponseCodes, AnUnknownOneIsNeverOrAfterByItsName) {
  EXPECT_EQ(retry_class_of("ErrorInventedTomorrow"), RetryClass::never);
  EXPECT_EQ(retry_class_of("ErrorFrobnicatorUnavailable"), RetryClass::after);
  EXPECT_EQ(retry_class_of("ErrorRequestThrottled"), RetryClass::after);
  EXPECT_EQ(retry_class_of(""), RetryClass::never);
}

TEST(ResponseCodes, Invariant26TheTableIsTotal) {
  const std::filesystem::path folder = SYNCLINE_SOURCE_DIR "/../shared/reference/ews/contract";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "SKIPPED: no contract beside the source tree";
  std::size_t schemas = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().filename() != "messages.xsd") continue;
    ++schemas;
    std::stringstream stream;
    stream << std::ifstream(entry.path()).rdbuf();
    const auto text = stream.str();
    const auto from = text.find("simpleType name=\"ResponseCodeType\"");
    ASSERT_NE(from, std::string::npos);
    const auto codes = text.substr(from, text.find("simpleType>", from + 1) - from);
    const std::regex value("enumeration value=\"([^\"]+)\"");
    std::size_t count = 0;
    for (auto at = std::sregex_iterator(codes.begin(), codes.end(), value); at != std::sregex_iterator();
         ++at) {
      ++count;
      EXPECT_TRUE(is_known_response_code((*at)[1].str())) << (*at)[1];
    }
    EXPECT_GT(count, 200u);
  }
  EXPECT_GE(schemas, 5u);
  EXPECT_GE(response_codes().size(), 500u);
}

TEST(MessageXml, TheHintIsFoundAndBounded) {
  EXPECT_EQ(back_off_of({{"BackOffMilliseconds", " 5000 "}}), std::chrono::milliseconds(5000));
  EXPECT_EQ(back_off_of({{"BackOffMilliseconds", "-1"}}), std::nullopt);
  EXPECT_EQ(back_off_of({{"BackOffMilliseconds", "soon"}}), std::nullopt);
  EXPECT_EQ(back_off_of({{"BackOffMilliseconds", "9223372036854775807"}}), std::chrono::hours(24));
  EXPECT_EQ(back_off_of({{"Other", "1"}}), std::nullopt);
}

TEST(SoapActions, AreTheContracts) {
  EXPECT_EQ(soap_action("GetItem"), "http://schemas.microsoft.com/exchange/services/2006/messages/GetItem");
  EXPECT_EQ(soap_action("GetStreamingEvents"),
            "http://schemas.microsoft.com/exchange/services/2006/messages/GetEvents");
}

}  // namespace
}  // namespace syncline::ews
