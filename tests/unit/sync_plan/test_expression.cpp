// SPDX-License-Identifier: GPL-3.0-or-later
// Filters in text form: what they say, and what is refused.
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

#include "base/random.hpp"
#include "sync/plan/expression.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::Fields;
using model::RecordKind;

Fields fields(std::string_view text) {
  return json::parse(text).as_object();
}

const Fields& a_contact() {
  static const Fields contact = fields(R"({
    "displayName":"Ada Lovelace","companyName":"Nordwind","governmentId":"007","jobTitle":null,"department":"",
    "categories":["vip","Kunden"],"birthday":"1990-05-01","sensitivity":"Normal",
    "emailAddresses":{"EmailAddress1":"ada@example.org","EmailAddress2":null},
    "phoneNumbers":{"BusinessPhone":"0431 1","Pager":null},
    "physicalAddresses":{"Home":{"city":"Kiel","postalCode":"01234"}},
    "body":{"type":"html","value":"<p>likes engines</p>"}})");
  return contact;
}
const Fields& an_appointment() {
  static const Fields appointment = fields(R"({
    "subject":"Plan \"B\"","start":"2026-11-22T10:00:00Z","isAllDayEvent":false,"reminderIsSet":true,
    "reminderMinutesBeforeStart":0,"legacyFreeBusyStatus":"Busy","startTimeZone":{"id":"UTC"},
    "organizer":{"name":"Ada","emailAddress":"ada@example.org"},
    "requiredAttendees":[{"mailbox":{"emailAddress":"Bob@example.org","name":"Bob"},"responseType":"Accept"}],
    "recurrence":{"pattern":{"type":"daily"},"range":{}},"deletedOccurrences":["2026-11-24"]})");
  return appointment;
}
const Fields& a_task() {
  static const Fields task =
      fields(R"({"subject":"x","percentComplete":50.0,"totalWork":90,"status":"InProgress"})");
  return task;
}

struct Case {
  RecordKind kind;
  std::string_view text;
  bool matches;
};
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.text;
}

constexpr auto contact = RecordKind::contact;
constexpr auto appointment = RecordKind::appointment;
constexpr auto task = RecordKind::task;

constexpr Case cases[] = {
    // Operators on texts, in any case.
    {contact, R"(companyName = "nordwind")", true},
    {contact, R"(companyName="Nord")", false},
    {contact, R"(companyName != "Nord")", true},
    {contact, R"(companyName != "NORDWIND")", false},
    {contact, R"(companyName contains "WIND")", true},
    {contact, R"(companyName contains "land")", false},
    {contact, R"(companyName < "o")", true},
    {contact, R"(companyName > "o")", false},
    {contact, R"(companyName <= "nordwind")", true},
    {contact, R"(companyName >= "nordwind")", true},
    {contact, R"(companyName = Nordwind)", true},
    {contact, "companyName\n=\r\n\tNordwind ", true},
    // Texts of digits are texts.
    {contact, R"(governmentId = "7")", false},
    {contact, R"(governmentId = "007")", true},
    {contact, R"(physicalAddresses.Home.postalCode = 1234)", false},
    // Numbers are numbers.
    {task, "percentComplete = 50", true},
    {task, "percentComplete = 5E1", true},
    {task, "percentComplete < 100", true},
    {task, "percentComplete > 6", true},
    {task, "totalWork >= 90", true},
    {task, "totalWork <= 89.5", false},
    {task, "totalWork != -90", true},
    {task, "actualWork = 0", false},
    {task, "actualWork != 0", true},
    // Dates and instants.
    {contact, "birthday < 2000-01-01", true},
    {contact, "birthday >= 1990-05-01", true},
    {appointment, "start > 2026-11-22", true},
    {appointment, "start < 2026-11-22T10:00:01Z", true},
    // Choices and truth.
    {appointment, "legacyFreeBusyStatus = busy", true},
    {appointment, "isAllDayEvent = FALSE", true},
    {appointment, "isAllDayEvent", false},
    {appointment, "reminderIsSet", true},
    {appointment, "reminderMinutesBeforeStart", true},
    // Sets, people, dictionaries: "has".
    {contact, R"(categories = "VIP")", true},
    {contact, R"(categories = "vi")", false},
    {contact, R"(categories != "vip")", false},
    {contact, R"(categories != "other")", true},
    {contact, R"(categories contains "kund")", true},
    {contact, R"(emailAddresses = "ada@example.org")", true},
    {contact, R"(emailAddresses contains "@example.com")", false},
    {contact, R"(emailAddresses.EmailAddress1 = "ada@example.org")", true},
    {contact, R"(emailAddresses.EmailAddress2 = "ada@example.org")", false},
    {contact, R"(physicalAddresses.Home.city = kiel)", true},
    {contact, R"(physicalAddresses.Home = kiel)", true},
    {contact, R"(physicalAddresses = kiel)", true},
    {contact, R"(physicalAddresses.Other.city = kiel)", false},
    {contact, R"(body contains "engines")", true},
    {contact, R"(body.type = html)", true},
    {appointment, R"(organizer = "ADA@example.org")", true},
    {appointment, R"(organizer.name = ada)", true},
    {appointment, R"(requiredAttendees = "bob@example.org")", true},
    {appointment, R"(requiredAttendees = bob)", true},
    {appointment, R"(startTimeZone.id = utc)", true},
    {appointment, R"(startTimeZone = utc)", true},
    {appointment, R"(deletedOccurrences = 2026-11-24)", true},
    // Something said.
    {contact, "companyName", true},
    {contact, "jobTitle", false},
    {contact, "department", false},
    {contact, "spouseName", false},
    {contact, "categories", true},
    {contact, "phoneNumbers", true},
    {contact, "phoneNumbers.BusinessPhone", true},
    {contact, "phoneNumbers.Pager", false},
    {contact, "phoneNumbers.Telex", false},
    {contact, "imAddresses", false},
    {contact, "body", true},
    {appointment, "recurrence", true},
    {appointment, "not optionalAttendees", true},
    // Quotation.
    {appointment, R"(subject = "Plan \"B\"")", true},
    {appointment, R"(subject = "plan \\B\\")", false},
    // Joining: `not` before `and` before `or`.
    {contact, R"(companyName = a or companyName = Nordwind and department)", false},
    {contact, R"((companyName = a or companyName = Nordwind) and not department)", true},
    {contact, R"(companyName = Nordwind or companyName = a and department)", true},
    {contact, R"(not companyName = a and companyName)", true},
    {contact, R"(not (companyName = a and companyName))", true},
    {contact, R"(not not companyName)", true},
    {contact, R"(NOT department AND companyName OR jobTitle)", true},
    {contact, R"(not(department)and(companyName))", true},
};

class Filter : public testing::TestWithParam<Case> {};

TEST_P(Filter, TakesWhatItSays) {
  const Case& one = GetParam();
  const auto parsed = Expression::parse(one.text, one.kind);
  ASSERT_TRUE(parsed) << parsed.error().describe();
  const Fields& record = one.kind == contact ? a_contact() : one.kind == task ? a_task() : an_appointment();
  EXPECT_EQ(parsed->matches(record), one.matches);
}

INSTANTIATE_TEST_SUITE_P(Cases, Filter, testing::ValuesIn(cases));

struct Wrong {
  std::string_view text;
  std::string_view code;
  std::string_view message;  ///< how it begins
};
void PrintTo(const Wrong& one, std::ostream* out) {
  *out << one.text;
}

constexpr Wrong wrongs[] = {
    {"", "bad-expression", "column 1: expected a field"},
    {"   ", "bad-expression", "column 4: expected a field"},
    {"= a", "bad-expression", "column 1: expected a field"},
    {"subject =", "bad-expression", "column 10: expected a value"},
    {"subject = \"a", "bad-expression", "column 13: expected a closing quotation mark"},
    {"subject = \"a\\", "bad-expression", "column 14: expected a closing quotation mark"},
    {"subject = a b", "bad-expression", "column 13: expected `and`, `or` or the end"},
    {"subject == a", "bad-expression", "column 10: expected a value"},
    {"subject = a and", "bad-expression", "column 16: expected a field"},
    {"(subject = a", "bad-expression", "column 13: expected `)`"},
    {"subject = a)", "bad-expression", "column 12: expected `and`, `or` or the end"},
    {"subject ~ a", "bad-expression", "column 9: expected `and`, `or` or the end"},
    {"not", "bad-expression", "column 4: expected a field"},
    {"colour = red", "unknown-field", "column 1: task has no field colour"},
    {"subject = a and colour = red", "unknown-field", "column 17: task has no field colour"},
    {"subject.first = a", "unknown-field", "column 1: task has no field subject.first"},
    {"body.size = 1", "unknown-field", "column 1: task has no field body.size"},
    {".subject = a", "unknown-field", "column 1: task has no field .subject"},
    {"phoneNumbers.HomePhone = 1", "unknown-field", "column 1: task has no field phoneNumbers"},
    {"percentComplete > much", "bad-expression", "column 19: expected a number"},
    {"percentComplete > nan", "bad-expression", "column 19: expected a number"},
    {"status = Done", "bad-expression", "column 10: expected one of NotStarted InProgress"},
    {"reminderIsSet = yes", "bad-expression", "column 17: expected true or false"},
};

class WrongFilter : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFilter, IsRefusedWithTheColumnAndWhatWasExpected) {
  const auto parsed = Expression::parse(GetParam().text, task);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().domain, ErrorDomain::input);
  EXPECT_EQ(parsed.error().code, GetParam().code);
  EXPECT_TRUE(parsed.error().message.starts_with(GetParam().message)) << parsed.error().message;
}

INSTANTIATE_TEST_SUITE_P(Wrongs, WrongFilter, testing::ValuesIn(wrongs));

TEST(FilterParts, MisspeltEntriesOfADictionaryAreRefused) {
  EXPECT_FALSE(Expression::parse("phoneNumbers.BussinessPhone = 1", contact));
  EXPECT_FALSE(Expression::parse("physicalAddresses.Home.town = Kiel", contact));
  EXPECT_FALSE(Expression::parse("physicalAddresses.Home.city.x = Kiel", contact));
  EXPECT_FALSE(Expression::parse("physicalAddresses. = Kiel", contact));
}

std::string nested(std::size_t depth) {
  return std::string(depth, '(') + "subject" + std::string(depth, ')');
}

TEST(FilterLimits, NestingUpTo64IsTakenAndDeeperOneRefused) {
  EXPECT_TRUE(Expression::parse(nested(64), task));
  const auto deep = Expression::parse(nested(65), task);
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("less nesting"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 65; ++i) nots += "not ";
  EXPECT_FALSE(Expression::parse(nots + "subject", task));
  EXPECT_TRUE(Expression::parse(nots.substr(4) + "subject", task));
  EXPECT_FALSE(Expression::parse(std::string(4000, '('), task));
}

TEST(FilterLimits, FourKilobytesAreTakenAndLongerTextsRefused) {
  const std::string text = "subject = \"" + std::string(4096 - 12, 'x') + "\"";
  ASSERT_EQ(text.size(), 4096U);
  EXPECT_TRUE(Expression::parse(text, task));
  const auto refused = Expression::parse(text + " ", task);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "bad-expression");
}

TEST(FilterGarbage, NeverCrashesAndNamesAColumnWithinTheText) {
  SeededRandom random(7);
  constexpr std::string_view pieces[] = {
      "subject", " ",    "=",          "!=",       "<",    "(",  ")",
      "not ",    "and ", "or ",        "\"",       "\\",   "a",  "1",
      "body",    ".",    "type",       "contains", "\xff", "\n", "percentComplete",
      ">=",      "-",    "categories", "status"};
  std::size_t taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t left = random.below(12); left > 0; --left)
      text += random.below(12) == 0 ? std::string(1, static_cast<char>(random.below(256)))
                                    : std::string(pieces[random.below(std::size(pieces))]);
    const auto parsed = Expression::parse(text, task);
    if (parsed) {
      ++taken;
      static_cast<void>(parsed->matches(a_task()));
      static_cast<void>(parsed->matches({}));
      continue;
    }
    const std::string& message = parsed.error().message;
    ASSERT_TRUE(message.starts_with("column ")) << message;
    const int column = std::stoi(message.substr(7));
    ASSERT_GE(column, 1);
    ASSERT_LE(static_cast<std::size_t>(column), text.size() + 1);
  }
  EXPECT_GT(taken, 100U);
}

TEST(FilterGarbage, RecordsOfAnyShapeAreLookedAtWithoutHarm) {
  const char* shapes[] = {"null",
                          "1",
                          R"("x")",
                          "[]",
                          "[1,null,{\"mailbox\":1},[[]]]",
                          "{}",
                          R"({"value":1,"id":[],"Home":{"city":1}})"};
  for (const std::string_view name : {"body", "categories", "physicalAddresses", "birthday", "displayName"})
    for (const char* shape : shapes)
      for (const char* rest : {"", " = x", " < x", " contains x"}) {
        const auto parsed = Expression::parse(std::string(name) + rest, contact);
        ASSERT_TRUE(parsed);
        Fields odd;
        odd[name] = json::parse(shape);
        static_cast<void>(parsed->matches(odd));
      }
}

}  // namespace
}  // namespace syncline::sync::plan
