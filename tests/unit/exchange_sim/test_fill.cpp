// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/unit/exchange_sim/exchange_fixture.hpp"

namespace exchange_sim::test {
namespace {

class FillTest : public ExchangeTest {
 protected:
  FillTest() {
    std::string name = (std::filesystem::temp_directory_path() / "exchange-fill-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FillTest() override { std::filesystem::remove_all(folder_); }
  void write(const char* name, std::string_view content) {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  std::filesystem::path folder_;
};

TEST_F(FillTest, FilesOfAllFourKindsBecomeItems) {
  write("a.eml", "From: x@y.example\r\nSubject: one\r\nMessage-ID: <1@y>\r\n\r\nbody\r\n");
  write("b.mbox", "From x Mon Jan 1\nSubject: two\n\n>From here\n\nFrom y Mon Jan 1\nSubject: three\n\nx\n");
  write(
      "c.ics",
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:u1\r\nSUMMARY:Long\r\n "
      "er\r\nDTSTART;TZID=Europe/Berlin:20260316T090000\r\n"
      "DTEND;TZID=Europe/Berlin:20260316T100000\r\nRRULE:FREQ=WEEKLY;COUNT=4;BYDAY=MO\r\nEXDATE;TZID=Europe/"
      "Berlin:20260323T090000\r\n"
      "END:VEVENT\r\nBEGIN:VTODO\r\nSUMMARY:Do\r\nDUE;VALUE=DATE:20260401\r\nPERCENT-COMPLETE:50\r\nEND:"
      "VTODO\r\nEND:VCALENDAR\r\n");
  write("d.vcf",
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Eva "
        "Stone\r\nN:Stone;Eva;;;\r\nEMAIL:eva@example.com\r\nTEL;TYPE=CELL:123\r\nEND:VCARD\r\n");
  const auto report = service_.fill("anna@example.com", folder_).value();
  EXPECT_EQ(3U, report.messages);
  EXPECT_EQ(1U, report.appointments);
  EXPECT_EQ(1U, report.tasks);
  EXPECT_EQ(1U, report.contacts);
  EXPECT_TRUE(report.malformed.empty());
  const auto inbox = service_.list("anna@example.com", "inbox").value();
  EXPECT_EQ("From here\n\n", service_.mime("anna@example.com", inbox[1].id).value().substr(14));
  const std::string series = service_.list("anna@example.com", "calendar")->at(0).id;
  const Element item = get(series);
  EXPECT_EQ("Longer", text_at(item, "Subject"));
  EXPECT_EQ("2026-03-16T08:00:00Z", text_at(item, "Start"));
  EXPECT_EQ("2026-03-23T08:00:00Z", text_at(item, "DeletedOccurrences/DeletedOccurrence/Start"));
  const std::string contact = service_.list("anna@example.com", "contacts")->at(0).id;
  EXPECT_EQ("123",
            service_.property("anna@example.com", contact, "contacts:PhoneNumber/MobilePhone").value());
}

TEST_F(FillTest, MalformedFilesAreCountedAndNeverStopTheRest) {
  write("1.eml", "");
  write("2.mbox", "no from line");
  write("3.ics", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\n");
  write("4.ics",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:x\r\nDTSTART:garbage\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
  write("5.vcf", std::string("BEGIN:VCARD\r\n\xFF\xFE\r\nEND:VCARD\r\n"));
  write("6.eml", "Subject: good\n\nx");
  const auto report = service_.fill("anna@example.com", folder_).value();
  EXPECT_EQ(1U, report.messages);
  EXPECT_GE(report.malformed.size(), 5U);
  for (const char* name : {"1.eml", "2.mbox", "3.ics", "4.ics", "5.vcf"})
    EXPECT_TRUE(std::any_of(report.malformed.begin(), report.malformed.end(), [&](const std::string& m) {
      return m.starts_with(name);
    })) << name;
  EXPECT_EQ("no-folder", service_.fill("anna@example.com", folder_ / "none").error().code);
}

TEST_F(FillTest, WhatIsLeftOfBrokenCalendarsAndCardsIsTakenInWithALine) {
  write("1.ics",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:no end\r\nDTSTART:20260316T090000Z\r\nEND:X\r\n"
        "BEGIN:VEVENT\r\nSUMMARY:whole\r\nDTSTART:20260317T090000Z\r\nBEGIN:VALARM\r\nSUMMARY:alarm\r\n"
        "END:VEVENT\r\nBEGIN:VJOURNAL\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n");
  write("2.ics",
        "\xEF\xBB\xBF"
        "BEGIN:VEVENT\rSUMMARY:CR alone\rDTSTART:20260318T090000Z\rEND:VEVENT\r");
  write("3.vcf",
        "BEGIN:VCARD\nVERSION:2.1\nN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:M=C3=BC=\nller;Eva\n"
        "TEL;HOME:1\nEND:VCARD\nBEGIN:VCARD\nEMAIL:p@x.example\nEND:VCARD\n");
  const auto report = service_.fill("anna@example.com", folder_).value();
  std::vector<std::string> subjects;
  const auto listed = service_.list("anna@example.com", "calendar").value();
  for (const ItemView& item : listed) subjects.push_back(item.subject);
  EXPECT_EQ((std::vector<std::string>{"no end", "whole", "CR alone"}), subjects);
  EXPECT_EQ(
      (std::vector<std::string>{"1.ics: END:X without BEGIN", "1.ics: VEVENT without END",
                                "1.ics: VALARM without END", "1.ics: a mailbox has no place for VJOURNAL"}),
      report.malformed);
  const auto contacts = service_.list("anna@example.com", "contacts").value();
  ASSERT_EQ(2U, contacts.size());
  EXPECT_EQ("M\xC3\xBCller",
            service_.property("anna@example.com", contacts[0].id, "contacts:Surname").value());
  EXPECT_EQ("p@x.example",
            service_.property("anna@example.com", contacts[1].id, "contacts:DisplayName").value());
}

TEST_F(FillTest, ALineOfTextThatBeginsWithFromDividesNoMbox) {
  write("a.mbox",
        "From x Mon Jan 1\nSubject: one\n\nFrom now on\nhere, too\n\nFrom then on.\n\n"
        "From y Mon Jan 1\n>From z Mon Jan 1\nSubject: two\n\nFrom ");
  const auto report = service_.fill("anna@example.com", folder_).value();
  EXPECT_EQ(2U, report.messages);
  EXPECT_TRUE(report.malformed.empty());
}

TEST_F(FillTest, GeneratedMailHasTheOctetsItsPropertiesPromise) {
  ASSERT_TRUE(service_.generate("anna@example.com", {.seed = 9, .messages = 30}));
  const auto inbox = service_.list("anna@example.com", "inbox").value();
  for (const ItemView& item : inbox) {
    const std::string mime = service_.mime("anna@example.com", item.id).value();
    EXPECT_NE(std::string::npos, mime.find("Subject: " + item.subject + "\r\n"));
    EXPECT_NE(std::string::npos,
              mime.find(service_.property("anna@example.com", item.id, "message:InternetMessageId").value()));
    EXPECT_GT(mime.size(), 3000U);
  }
}

TEST_F(FillTest, GeneratedItemsOfAllKindsAreValid) {
  ASSERT_TRUE(service_.generate("anna@example.com",
                                {.seed = 9, .messages = 5, .appointments = 40, .contacts = 5, .tasks = 10}));
  for (const char* folder : {"inbox", "calendar", "contacts", "tasks"}) {
    const auto items = service_.list("anna@example.com", folder).value();
    EXPECT_FALSE(items.empty());
    for (const ItemView& item : items) EXPECT_EQ(item.element, get(item.id).name);
  }
}

}  // namespace
}  // namespace exchange_sim::test
