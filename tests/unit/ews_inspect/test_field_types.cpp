// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/inspect/field_types.hpp"

#include <gtest/gtest.h>

namespace syncline::ews::inspect {
namespace {

TEST(FieldTypes, NamesBecomeLowerCamelCase) {
  EXPECT_EQ(lower_camel("DateTimeReceived"), "dateTimeReceived");
  EXPECT_EQ(lower_camel("UID"), "uid");
  EXPECT_EQ(lower_camel("SIPResponseCode"), "sipResponseCode");
  EXPECT_EQ(lower_camel("FieldURI"), "fieldURI");
  EXPECT_EQ(lower_camel("IsNDR"), "isNDR");
  EXPECT_EQ(lower_camel("a"), "a");
  EXPECT_EQ(lower_camel(""), "");
}

TEST(FieldTypes, TimesBecomeUtc) {
  EXPECT_EQ(to_utc("2014-03-08T13:21:32.868-08:00", true), "2014-03-08T21:21:32.868Z");
  EXPECT_EQ(to_utc("2024-02-28T23:30:00.000-01:00", true), "2024-02-29T00:30:00Z");
  EXPECT_EQ(to_utc(" 2006-08-02T17:30:00Z\n", true), "2006-08-02T17:30:00Z");
  EXPECT_EQ(to_utc("2006-11-02T14:00:00", true), "2006-11-02T14:00:00Z");
  EXPECT_EQ(to_utc("2006-11-02T14:00:00", false), "2006-11-02T14:00:00");
  EXPECT_EQ(to_utc("0001-01-01T00:00:00Z", true), "0001-01-01T00:00:00Z");
  EXPECT_EQ(to_utc("2024-12-31T24:00:00Z", true), "2025-01-01T00:00:00Z");
  for (const char* bad : {"", "today", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-01T25:00:00Z",
                          "2024-01-01T00:00:00+15:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx",
                          "2024-01-01", "9999-12-31T23:00:00-02:00"}) {
    EXPECT_EQ(to_utc(bad, true), std::nullopt) << bad;
  }
}

TEST(FieldTypes, DatesAreThoseThatWereWritten) {
  EXPECT_EQ(written_date("2014-03-08-08:00"), "2014-03-08");
  EXPECT_EQ(written_date("2014-03-08Z"), "2014-03-08");
  EXPECT_EQ(written_date("2014-03-08T23:00:00-08:00"), "2014-03-08");
  EXPECT_EQ(written_date("08.03.2014"), std::nullopt);
}

TEST(FieldTypes, AnAllDayEventStartsOnTheNearestMidnight) {
  EXPECT_EQ(nearest_date("2024-03-30T23:00:00Z"), "2024-03-31");  // Berlin
  EXPECT_EQ(nearest_date("2024-03-31T08:00:00Z"), "2024-03-31");  // Seattle
  EXPECT_EQ(nearest_date("2024-03-30T15:00:00Z"), "2024-03-31");  // Tokyo
  EXPECT_EQ(nearest_date("2024-03-31T00:00:00"), "2024-03-31");
  EXPECT_EQ(nearest_date("2024-03-31"), "2024-03-31");
}

TEST(FieldTypes, TypesAreKnownByName) {
  EXPECT_EQ(type_of("IsRead"), FieldType::boolean);
  EXPECT_EQ(type_of("IsSomethingWeNeverHeardOf"), FieldType::boolean);
  EXPECT_EQ(type_of("Island"), FieldType::text);
  EXPECT_EQ(type_of("Size"), FieldType::number);
  EXPECT_EQ(type_of("DateTimeSent"), FieldType::date_time);
  EXPECT_EQ(type_of("Subject"), FieldType::text);
}

}  // namespace
}  // namespace syncline::ews::inspect
