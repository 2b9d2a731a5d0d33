// SPDX-License-Identifier: GPL-3.0-or-later
// Contacts and tasks as records' fields.
#include "tests/fake/ews_driver/driver_fixture.hpp"

namespace syncline::ews {
namespace {

using model::RecordKind;
using testing::anna;
using testing::as_json;
using testing::at;

class DriverContacts : public testing::DriverFixture {};

TEST_F(DriverContacts, EveryFieldComesInItsShape) {
  const std::string id = add(
      "contacts",
      "<t:Contact><t:Body "
      "BodyType=\"Text\">note</t:Body><t:Categories><t:String>Key</t:String></t:Categories>"
      "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x3A45\" PropertyType=\"String\"/>"
      "<t:Value>Dr.</t:Value></t:ExtendedProperty>"
      "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x3A4C\" PropertyType=\"String\"/>"
      "<t:Value>ftp://x</t:Value></t:ExtendedProperty>"
      "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x3A07\" PropertyType=\"String\"/>"
      "<t:Value>ID-1</t:Value></t:ExtendedProperty>"
      "<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId=\"Address\" PropertyId=\"32812\" "
      "PropertyType=\"String\"/><t:Value>Eefa</t:Value></t:ExtendedProperty>"
      "<t:ExtendedProperty><t:ExtendedFieldURI DistinguishedPropertySetId=\"Address\" PropertyId=\"32813\" "
      "PropertyType=\"String\"/><t:Value>Meier</t:Value></t:ExtendedProperty>"
      "<t:FileAs>Meyer, Eva</t:FileAs><t:DisplayName>Eva Meyer</t:DisplayName><t:GivenName>Eva</t:GivenName>"
      "<t:Initials>E.M.</t:Initials><t:MiddleName>Maria</t:MiddleName><t:Nickname>Evi</t:Nickname>"
      "<t:CompanyName>Fabrik GmbH</t:CompanyName>"
      "<t:EmailAddresses><t:Entry Key=\"EmailAddress1\">eva@fabrik.example</t:Entry>"
      "<t:Entry Key=\"EmailAddress3\">eva@home.example</t:Entry></t:EmailAddresses>"
      "<t:PhysicalAddresses><t:Entry Key=\"Business\"><t:Street>Weg 1</t:Street><t:City>Bonn</t:City>"
      "<t:CountryOrRegion>Germany</t:CountryOrRegion><t:PostalCode>53111</t:PostalCode></t:Entry>"
      "</t:PhysicalAddresses>"
      "<t:PhoneNumbers><t:Entry Key=\"BusinessPhone\">+49 228 1</t:Entry>"
      "<t:Entry Key=\"MobilePhone\">+49 170 2</t:Entry></t:PhoneNumbers>"
      "<t:AssistantName>Ina</t:AssistantName><t:Birthday>1980-02-29T11:59:00Z</t:Birthday>"
      "<t:BusinessHomePage>https://fabrik.example</t:BusinessHomePage>"
      "<t:Children><t:String>Tim</t:String><t:String>Ute</t:String></t:Children>"
      "<t:Department>Sales</t:Department><t:Generation>Jr.</t:Generation>"
      "<t:ImAddresses><t:Entry Key=\"ImAddress1\">sip:eva@fabrik.example</t:Entry></t:ImAddresses>"
      "<t:JobTitle>Head</t:JobTitle><t:Manager>Max</t:Manager><t:OfficeLocation>B2</t:OfficeLocation>"
      "<t:Profession>Engineer</t:Profession><t:SpouseName>Uwe</t:SpouseName><t:Surname>Meyer</t:Surname>"
      "<t:WeddingAnniversary>2005-06-10T22:00:00Z</t:WeddingAnniversary></t:Contact>");
  auto item = read(RecordKind::contact, id);
  const model::Fields& fields = item.fields;
  const std::map<std::string, std::string> wanted{
      {"displayName", R"("Eva Meyer")"},
      {"fileAs", R"("Meyer, Eva")"},
      {"givenName", R"("Eva")"},
      {"middleName", R"("Maria")"},
      {"surname", R"("Meyer")"},
      {"initials", R"("E.M.")"},
      {"title", R"("Dr.")"},
      {"generation", R"("Jr.")"},
      {"nickname", R"("Evi")"},
      {"phoneticGivenName", R"("Eefa")"},
      {"phoneticSurname", R"("Meier")"},
      {"companyName", R"("Fabrik GmbH")"},
      {"department", R"("Sales")"},
      {"jobTitle", R"("Head")"},
      {"profession", R"("Engineer")"},
      {"officeLocation", R"("B2")"},
      {"manager", R"("Max")"},
      {"assistantName", R"("Ina")"},
      {"spouseName", R"("Uwe")"},
      {"children", R"(["Tim","Ute"])"},
      {"birthday", R"("1980-02-29")"},
      {"weddingAnniversary", R"("2005-06-11")"},  // midnight in Berlin
      {"emailAddresses", R"({"EmailAddress1":"eva@fabrik.example","EmailAddress3":"eva@home.example"})"},
      {"phoneNumbers", R"({"BusinessPhone":"+49 228 1","MobilePhone":"+49 170 2"})"},
      {"imAddresses", R"({"ImAddress1":"sip:eva@fabrik.example"})"},
      {"physicalAddresses",
       R"({"Business":{"street":"Weg 1","city":"Bonn","countryOrRegion":"Germany","postalCode":"53111"}})"},
      {"businessHomePage", R"("https://fabrik.example")"},
      {"ftpSite", R"("ftp://x")"},
      {"governmentId", R"("ID-1")"},
      {"body", R"({"type":"text","value":"note"})"},
      {"categories", R"(["Key"])"},
      {"sensitivity", R"("Normal")"},
      {"photo", "null"},
  };
  for (const auto& [name, value] : wanted) {
    if (value.front() == '{') {
      EXPECT_EQ(fields.at(name), json::parse(value)) << name;
    } else {
      EXPECT_EQ(at(fields, name), as_json(value)) << name;
    }
  }
  for (const model::FieldInfo& info : model::fields_of(RecordKind::contact))
    EXPECT_TRUE(info.name == "regarding" || wanted.contains(std::string(info.name))) << info.name;
}

TEST_F(DriverContacts, WhatIsNotThereIsKnownToBeEmpty) {
  const auto item =
      read(RecordKind::contact, add("contacts", "<t:Contact><t:Surname>M</t:Surname></t:Contact>"));
  for (const char* name : {"givenName", "title", "birthday", "emailAddresses", "physicalAddresses",
                           "children", "categories", "photo"})
    EXPECT_EQ(at(item.fields, name), "null") << name;
}

TEST_F(DriverContacts, ThePhotoIsAnAttachmentToBeFetched) {
  const std::string id = add("contacts", "<t:Contact><t:Surname>M</t:Surname></t:Contact>");
  Attachment picture{.name = "ContactPicture.jpg", .content_type = "image/jpeg"};
  picture.content = FileContent{.is_contact_photo = true, .content = std::string("\xff\xd8jpeg", 6)};
  CreateAttachmentRequest request{.parent = ItemId{.id = id}, .attachments = {picture}};
  const auto made = run(client_.call(std::move(request)));
  ASSERT_TRUE(made && made->messages.at(0).ok());
  const auto item = read(RecordKind::contact, id);
  const json::object& photo = item.fields.at("photo").as_object();
  EXPECT_EQ(photo.at("contentType"), "image/jpeg");
  EXPECT_EQ(photo.at("size"), 6);
  testing::MemorySink sink;
  const std::string attachment_id(photo.at("attachmentId").as_string());
  ASSERT_TRUE(run(driver_.fetch_attachment(attachment_id, sink, 1000)));
  EXPECT_EQ(sink.text, "\xff\xd8jpeg");
}

TEST_F(DriverContacts, R04_DistributionListsAreOpaque) {
  const auto item =
      read(RecordKind::contact,
           add("contacts", "<t:DistributionList><t:DisplayName>team</t:DisplayName></t:DistributionList>"));
  EXPECT_TRUE(item.opaque);
  EXPECT_EQ(item.item_class, "IPM.DistList");
  EXPECT_TRUE(item.fields.empty());
}

TEST_F(DriverContacts, R04_AnElementNobodyKnowsIsOpaque) {
  const std::string id = add("contacts", "<t:Contact><t:Surname>M</t:Surname></t:Contact>");
  exchange_sim::FaultRule rule;
  rule.action = exchange_sim::Action::rename_namespace;
  rule.element = "Contact";
  rule.value = "urn:schemas-example:later";
  exchange_.fault("GetItem", rule);
  std::vector<std::string> ids{id};
  const auto items = run(driver_.read(RecordKind::contact, ids, true));
  ASSERT_TRUE(items);
  // Whether the codec sees an item in it or none, it is no contact and stops nothing.
  EXPECT_TRUE(!items->front() || items->front()->opaque);
  if (!items->front()) {
    EXPECT_EQ(items->front().error().retry, RetryClass::quarantine);
  }
}

class DriverTasks : public testing::DriverFixture {};

TEST_F(DriverTasks, FieldsComeInTheirShapesAndDatesAreDates) {
  const std::string id =
      add("tasks",
          "<t:Task><t:Subject>write</t:Subject><t:Body BodyType=\"Text\">all of it</t:Body>"
          "<t:Importance>Low</t:Importance><t:ActualWork>30</t:ActualWork>"
          "<t:DueDate>2026-03-31T00:00:00Z</t:DueDate><t:PercentComplete>25</t:PercentComplete>"
          "<t:StartDate>2026-03-29T00:00:00Z</t:StartDate><t:Status>InProgress</t:Status>"
          "<t:TotalWork>600</t:TotalWork></t:Task>");
  for (const char* zone : {"UTC", "Europe/Berlin", "America/Winnipeg", "Pacific/Auckland"}) {
    EwsDriver reader(client_, {.mailbox = anna, .time_zone = zone});
    std::vector<std::string> ids{id};
    const auto items = run(reader.read(RecordKind::task, ids, true));
    ASSERT_TRUE(items && items->front());
    EXPECT_EQ(at(items->front()->fields, "startDate"), "\"2026-03-29\"") << zone;
    EXPECT_EQ(at(items->front()->fields, "dueDate"), "\"2026-03-31\"") << zone;
  }
  const auto item = read(RecordKind::task, id);
  EXPECT_EQ(at(item.fields, "subject"), "\"write\"");
  EXPECT_EQ(at(item.fields, "body"), as_json(R"({"type":"text","value":"all of it"})"));
  EXPECT_EQ(at(item.fields, "status"), "\"InProgress\"");
  EXPECT_EQ(item.fields.at("percentComplete").to_number<double>(), 25.0);
  EXPECT_EQ(at(item.fields, "completeDate"), "null");
  EXPECT_EQ(at(item.fields, "importance"), "\"Low\"");
  EXPECT_EQ(at(item.fields, "totalWork"), "600");
  EXPECT_EQ(at(item.fields, "actualWork"), "30");
}

TEST_F(DriverTasks, RecurrencesOfEveryKindAreRead) {
  const std::map<std::string, std::string> patterns{
      {"<t:DailyRegeneration><t:Interval>2</t:Interval></t:DailyRegeneration>", "dailyRegeneration"},
      {"<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31</t:DayOfMonth>"
       "</t:AbsoluteMonthlyRecurrence>",
       "absoluteMonthly"},
      {"<t:RelativeYearlyRecurrence><t:DaysOfWeek>Weekday</t:DaysOfWeek><t:DayOfWeekIndex>Last"
       "</t:DayOfWeekIndex><t:Month>June</t:Month></t:RelativeYearlyRecurrence>",
       "relativeYearly"}};
  for (const auto& [xml, type] : patterns) {
    const std::string id =
        add("tasks",
            "<t:Task><t:Subject>again</t:Subject><t:Recurrence>" + xml +
                "<t:NoEndRecurrence><t:StartDate>2026-03-02</t:StartDate></t:NoEndRecurrence></t:Recurrence>"
                "</t:Task>");
    const auto item = read(RecordKind::task, id);
    EXPECT_EQ(item.fields.at("recurrence").at("pattern").at("type"), json::value(type));
    EXPECT_EQ(item.fields.at("recurrence").at("range").at("startDate"), "2026-03-02");
  }
}

TEST_F(DriverTasks, AMailInTheFolderOfTasksIsOpaque) {
  const std::string id = add("tasks", "<t:Message><t:Subject>a mail, dragged</t:Subject></t:Message>");
  EXPECT_TRUE(read(RecordKind::task, id).opaque);
}

}  // namespace
}  // namespace syncline::ews
