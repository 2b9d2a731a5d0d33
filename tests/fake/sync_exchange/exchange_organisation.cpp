// SPDX-License-Identifier: GPL-3.0-or-later
#include "exchange_organisation.hpp"

#include <gtest/gtest.h>

#include "auth/basic.hpp"
#include "ews/driver/ews_driver.hpp"

namespace syncline::sync::testing {
namespace {

constexpr std::string_view envelope_begin =
    R"(<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/")"
    R"( xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages")"
    R"( xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">)"
    R"(<soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></soap:Header><soap:Body>)";
constexpr std::string_view envelope_end = "</soap:Body></soap:Envelope>";

/// Ids, keys and times that the server makes.
bool is_volatile(std::string_view property) {
  for (const std::string_view name : {"DateTimeCreated",
                                      "LastModifiedTime",
                                      "DateTimeReceived",
                                      "DateTimeSent",
                                      "DateTimeStamp",
                                      "InternetMessageId",
                                      "Conversation",
                                      "InstanceKey",
                                      "UID",
                                      "AssociatedCalendarItemId",
                                      "References",
                                      "InReplyTo",
                                      "ParentFolderId",
                                      "EffectiveRights",
                                      "Attachments",
                                      "FirstOccurrence",
                                      "LastOccurrence",
                                      "ReminderNextTime",
                                      "WebClient",
                                      "SearchKey",
                                      "ExtendedProperty",
                                      "AppointmentReplyTime",
                                      "ChangeCount",
                                      "StoreEntryId",
                                      "Size",
                                      "MimeContent",
                                      "InternetMessageHeaders",
                                      "LastResponseTime"})
    if (property.starts_with(name)) return true;
  return property.find("ItemId") != std::string_view::npos ||
         property.find("LastResponseTime") != std::string_view::npos;
}

}  // namespace

ExchangeWorld::ExchangeWorld(Options options)
    : exchange(world, {.limits = options.limits,
                       .oauth = std::move(options.oauth),
                       .schema_folder = std::move(options.schema_folder)}) {}

std::string ExchangeWorld::add(std::string_view mailbox, std::string_view folder, std::string_view xml) {
  auto id = service().add_item(mailbox, folder, xml);
  if (!id) ADD_FAILURE() << id.error().describe();
  return id.value_or("");
}

void ExchangeWorld::edit(std::string_view mailbox, std::string_view id, std::string_view field,
                         std::string_view value) {
  auto done = service().edit_item(mailbox, id, field, value);
  if (!done) ADD_FAILURE() << done.error().describe();
}

std::string ExchangeWorld::deliver(std::string_view mailbox, std::string_view mime) {
  auto id = service().deliver(mailbox, mime);
  if (!id) ADD_FAILURE() << id.error().describe();
  return id.value_or("");
}

std::string ExchangeWorld::request(const std::string& mailbox, std::string_view body_xml) {
  const exchange_sim::Caller caller{.site = "onprem",
                                    .authenticated_as = mailbox,
                                    .mailbox = mailbox,
                                    .requested_version = "Exchange2013_SP1"};
  const std::string soap = std::string(envelope_begin) + std::string(body_xml) + std::string(envelope_end);
  const exchange_sim::Reply reply = service().handle(caller, soap);
  EXPECT_EQ(reply.http_status, 200) << reply.body_xml;
  EXPECT_NE(reply.body_xml.find("NoError"), std::string::npos) << reply.body_xml;
  return reply.body_xml;
}

std::string ExchangeWorld::only_item(std::string_view mailbox, std::string_view folder) {
  const auto views = list(mailbox, folder);
  EXPECT_EQ(views.size(), 1u);
  return views.empty() ? std::string() : views.front().id;
}

std::vector<exchange_sim::ItemView> ExchangeWorld::list(std::string_view mailbox, std::string_view folder) {
  auto views = service().list(mailbox, folder);
  if (!views) ADD_FAILURE() << folder << ": " << views.error().describe();
  return views ? std::move(*views) : std::vector<exchange_sim::ItemView>();
}

std::size_t ExchangeWorld::count(std::string_view mailbox, std::string_view folder) {
  return list(mailbox, folder).size();
}

std::string ExchangeWorld::property(std::string_view mailbox, std::string_view id, std::string_view field) {
  auto value = service().property(mailbox, id, field);
  if (!value) ADD_FAILURE() << field << ": " << value.error().describe();
  return value.value_or("");
}

std::string ExchangeWorld::folder_name(std::string_view mailbox, const std::string& folder_id) {
  const auto folders = service().folders(mailbox).value();
  for (const auto& folder : folders)
    if (folder.id == folder_id) return folder.name;
  return folder_id.empty() ? "none" : "gone";
}

std::map<std::string, int> ExchangeWorld::mails() {
  std::map<std::string, int> sums;
  for (const exchange_sim::SentMail& mail : service().sent_mail())
    ++sums[std::string(to_string(mail.reason)) + " " + mail.to + " " + mail.subject];
  return sums;
}

std::size_t ExchangeWorld::writes() {
  std::size_t sum = 0;
  for (const char* name : {"CreateItem", "UpdateItem", "DeleteItem", "MoveItem", "SendItem", "CreateFolder",
                           "CreateAttachment", "DeleteAttachment"})
    sum += exchange.requests(name);
  return sum;
}

std::string ExchangeWorld::contents() {
  std::vector<std::string> lines;
  for (const char* address : {anna, bert})
    for (const auto& [folder, items] : exchange.mailbox(address))
      for (const auto& item : items) {
        if (folder.find("Syncline Claim") != std::string::npos) continue;
        std::string line = std::string(address) + "/" + folder + " " + item.element;
        for (const auto& [name, value] : content_of(item)) line += " " + name + "=" + value + ";";
        lines.push_back(std::move(line));
      }
  return joined(std::move(lines));
}

std::map<std::string, std::string> content_of(const exchange_sim::testing::ItemState& item) {
  std::map<std::string, std::string> out;
  for (const auto& [name, value] : item.properties)
    if (!is_volatile(name)) out.emplace(name, value);
  for (const auto& [name, octets] : item.attachments) out.emplace("attached " + name, octets);
  return out;
}

std::string mail_from(std::string_view from, std::string_view subject, std::string_view message_id,
                      std::string_view more_headers, std::string_view body) {
  std::string mime =
      "From: " + std::string(from) + "\r\nTo: " + anna + "\r\nSubject: " + std::string(subject);
  mime += "\r\nDate: Mon, 05 Jan 2026 07:30:00 +0000\r\nMessage-ID: " + std::string(message_id) + "\r\n";
  return mime + std::string(more_headers) + "\r\n" + std::string(body);
}

ExchangeOrganisation::ExchangeOrganisation(ExchangeWorld& world, const std::string& address,
                                           std::uint64_t seed)
    : OrganisationStore(world.world.environment().clock, address, seed), world_(world) {
  options.on_progress = [this](const RunProgress& step) { progress.push_back(step); };
}

/// What a process has that speaks for the mailbox.
struct ExchangeOrganisation::Process {
  explicit Process(ExchangeOrganisation& organisation)
      : environment(organisation.world_.world.environment()),
        client(environment, *http, std::make_shared<ews::CredentialBudgets>(environment),
               settings_of(organisation)),
        driver(client, {.mailbox = organisation.settings.address,
                        .store = organisation.store_kind,
                        .time_zone = organisation.time_zone,
                        .server_time_limit = organisation.settings.policies.sync.server_time_limit}) {}

  static ews::ClientSettings settings_of(const ExchangeOrganisation& organisation) {
    ews::ClientSettings settings;
    settings.url = net::parse_url(organisation.world_.exchange.url()).value();
    settings.authenticator = organisation.authenticator;
    if (settings.authenticator) return settings;
    settings.authenticator =
        auth::make_basic({.user = organisation.settings.address, .password = Secret{organisation.password}})
            .value();
    return settings;
  }

  net::Environment& environment;
  std::unique_ptr<net::HttpClient> http = net::make_http_client(environment).value();
  ews::EwsClient client;
  ews::EwsDriver driver;
};

Result<MailboxSummary> ExchangeOrganisation::run() {
  Process process(*this);
  Surroundings surroundings{
      .clock = process.environment.clock,
      .random = random_,
      .sleep = [this](std::chrono::milliseconds span) { return world_.world.sleep(span); },
      .aside = aside};
  return world_.world.run(
      run_mailbox(std::move(surroundings), store(), content(), process.driver, settings, options));
}

RemoteItem ExchangeOrganisation::read(model::RecordKind kind, const std::string& id) {
  Process process(*this);
  std::vector<std::string> ids{id};
  auto items = world_.world.run(process.driver.read(kind, std::move(ids), true));
  if (!items || !items->front()) {
    ADD_FAILURE() << (items ? items->front().error() : items.error()).describe();
    return {};
  }
  return std::move(*items->front());
}

MailboxSummary ExchangeOrganisation::must_run() {
  auto summary = run();
  if (!summary) {
    ADD_FAILURE() << summary.error().describe();
    return {};
  }
  return *summary;
}

void ExchangeOrganisation::settle() {
  for (int round = 0; round < 12; ++round) {
    if (must_run().waiting == 0) return;
    world_.pass(std::chrono::minutes(31));
  }
  ADD_FAILURE() << "operations are still waiting";
}

void ExchangeOrganisation::expect_quiet() {
  const std::string records_before = dump();
  const std::string items_before = world_.contents();
  const std::size_t writes_before = world_.writes();
  // The feeds may still tell of our own last writes; after that there is nothing to say.
  reopen();
  must_run();
  StopAt none(~std::uint64_t{0}, StopAt::Moment::after);
  reopen(&none);
  must_run();
  EXPECT_EQ(none.seen(), 0u) << "one more run writes nothing to the store";
  EXPECT_EQ(world_.writes(), writes_before) << "one more run writes nothing to the server";
  EXPECT_EQ(dump(), records_before);
  EXPECT_EQ(world_.contents(), items_before);
  reopen();
}

std::string ExchangeOrganisation::dump() {
  const auto name_of = [this](const std::string& id) { return world_.folder_name(settings.address, id); };
  const auto lasting = [](model::Fields fields) {
    for (const char* name :
         {"dateTimeSent", "dateTimeReceived", "conversationIndex", "mime", "uid", "inReplyTo", "references"})
      fields.erase(name);
    for (const char* list : {"requiredAttendees", "optionalAttendees", "resources", "attachments"})
      if (auto* members = fields.if_contains(list); members != nullptr && members->is_array())
        for (auto& member : members->get_array())
          for (const char* name : {"lastResponseTime", "id"})
            if (member.is_object()) member.get_object().erase(name);
    return fields;
  };
  return OrganisationStore::dump(name_of, lasting);
}

}  // namespace syncline::sync::testing
