// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/mailbox_commands.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <functional>
#include <map>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace exchange_sim {

namespace json = boost::json;
using syncline::ErrorDomain;
using syncline::fail;
using syncline::Result;

namespace {

/// Reads a command's members; what is missing or of the wrong type is remembered.
class Members {
 public:
  explicit Members(const json::object& object) : object_(object) {}

  std::string text(std::string_view name, bool required = true) {
    const auto* value = object_.if_contains(name);
    if (value != nullptr && value->is_string()) return std::string(value->as_string());
    if (value != nullptr || required) complain(name, "a string");
    return {};
  }
  bool flag(std::string_view name, bool otherwise) {
    const auto* value = object_.if_contains(name);
    if (value == nullptr) return otherwise;
    if (value->is_bool()) return value->as_bool();
    complain(name, "true or false");
    return otherwise;
  }
  std::size_t number(std::string_view name, std::size_t otherwise) {
    const auto* value = object_.if_contains(name);
    if (value == nullptr) return otherwise;
    boost::system::error_code error;
    const auto number = value->is_number() ? value->to_number<std::int64_t>(error) : -1;
    if (error || number < 0) {
      complain(name, "a number that is not negative");
      return otherwise;
    }
    return static_cast<std::size_t>(number);
  }
  /// "mime", or "mimeBase64" for octets that JSON cannot hold.
  std::string octets() {
    if (object_.contains("mimeBase64")) {
      auto decoded = syncline::base64_decode(text("mimeBase64"));
      if (decoded) return std::move(*decoded);
      complain("mimeBase64", "base64");
      return {};
    }
    return text("mime");
  }
  const std::string& complaint() const noexcept { return complaint_; }

 private:
  void complain(std::string_view name, std::string_view wanted) {
    if (complaint_.empty()) complaint_ = std::string(name) + " must be " + std::string(wanted);
  }
  const json::object& object_;
  std::string complaint_;
};

std::string clean(std::string_view text) {
  return syncline::text::to_xml_text(text);
}

Result<json::value> done(Result<void> result) {
  if (!result) return fail(std::move(result.error()));
  return json::value(json::object{{"done", true}});
}

Result<json::value> with_id(Result<std::string> id) {
  if (!id) return fail(std::move(id.error()));
  return json::value(json::object{{"id", *id}});
}

json::value report(const FillReport& filled) {
  json::array malformed;
  for (const auto& one : filled.malformed) malformed.emplace_back(clean(one));
  return json::object{{"messages", filled.messages},
                      {"appointments", filled.appointments},
                      {"contacts", filled.contacts},
                      {"tasks", filled.tasks},
                      {"malformed", std::move(malformed)}};
}

Result<json::value> list(ExchangeService& service, const std::string& mailbox, const std::string& folder) {
  const auto items = service.list(mailbox, folder);
  if (!items) return fail(items.error());
  json::array out;
  for (const auto& item : *items) {
    out.push_back(json::object{{"id", item.id},
                               {"changeKey", item.change_key},
                               {"element", item.element},
                               {"itemClass", clean(item.item_class)},
                               {"subject", clean(item.subject)},
                               {"isRead", item.is_read},
                               {"isDraft", item.is_draft},
                               {"size", item.size},
                               {"attachments", item.attachments}});
  }
  return json::value(std::move(out));
}

Result<json::value> folders(ExchangeService& service, const std::string& mailbox) {
  const auto found = service.folders(mailbox);
  if (!found) return fail(found.error());
  json::array out;
  for (const auto& folder : *found) {
    out.push_back(json::object{{"id", folder.id},
                               {"parentId", folder.parent_id},
                               {"name", clean(folder.name)},
                               {"folderClass", clean(folder.folder_class)},
                               {"distinguished", folder.distinguished},
                               {"items", folder.items},
                               {"unread", folder.unread}});
  }
  return json::value(std::move(out));
}

json::value sent_mail(ExchangeService& service, const std::string& from) {
  json::array out;
  for (const auto& mail : service.sent_mail(from)) {
    out.push_back(json::object{{"number", mail.number},
                               {"from", clean(mail.from)},
                               {"to", clean(mail.to)},
                               {"delivered", mail.delivered},
                               {"reason", to_string(mail.reason)},
                               {"subject", clean(mail.subject)},
                               {"itemClass", clean(mail.item_class)},
                               {"internetMessageId", clean(mail.internet_message_id)},
                               {"uid", clean(mail.uid)},
                               {"recurrenceId", clean(mail.recurrence_id)}});
  }
  return json::value(std::move(out));
}

/// Every command reads all its members first, then acts; `run_command` refuses between the two.
struct Prepared {
  std::function<Result<json::value>()> act;
};
using Prepare = std::function<Prepared(ExchangeService&, Members&)>;

const std::map<std::string, Prepare, std::less<>>& commands() {
  static const std::map<std::string, Prepare, std::less<>> all{
      {"add-mailbox",
       [](ExchangeService& service, Members& in) -> Prepared {
         MailboxDefinition mailbox;
         mailbox.address = in.text("mailbox");
         mailbox.display_name = in.text("displayName", false);
         mailbox.site = in.text("site", false);
         return {[&service, mailbox] { return done(service.add_mailbox(mailbox)); }};
       }},
      {"remove-mailbox",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox")] { return done(service.remove_mailbox(mailbox)); }};
       }},
      {"move-mailbox",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {
             [&service, mailbox = in.text("mailbox"), site = in.text("site"),
              alias = in.text("alias", false)] { return done(service.move_mailbox(mailbox, site, alias)); }};
       }},
      {"invalidate-sync-states",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), folder = in.text("folder", false)] {
           return done(service.invalidate_sync_states(mailbox, folder));
         }};
       }},
      {"set-unreadable",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"), code = in.text("code", false),
                  mime_only = in.flag("mimeOnly", false)] {
           return done(service.set_unreadable(mailbox, id, code, mime_only));
         }};
       }},
      {"drop-subscriptions",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox", false)] {
           service.drop_subscriptions(mailbox);
           return done({});
         }};
       }},
      {"add-folder",
       [](ExchangeService& service, Members& in) -> Prepared {
         auto folder_class = in.text("folderClass", false);
         if (folder_class.empty()) folder_class = "IPF.Note";
         return {[&service, mailbox = in.text("mailbox"), parent = in.text("parent"), name = in.text("name"),
                  folder_class] { return with_id(service.add_folder(mailbox, parent, name, folder_class)); }};
       }},
      {"delete-folder",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), folder = in.text("folder")] {
           return done(service.delete_folder(mailbox, folder));
         }};
       }},
      {"add-item",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), folder = in.text("folder"), xml = in.text("xml")] {
           return with_id(service.add_item(mailbox, folder, xml));
         }};
       }},
      {"add-mime",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), folder = in.text("folder"), mime = in.octets(),
                  read = in.flag("isRead", true)] {
           return with_id(service.add_mime(mailbox, folder, mime, read));
         }};
       }},
      {"deliver",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), mime = in.octets()] {
           return with_id(service.deliver(mailbox, mime));
         }};
       }},
      {"edit-item",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"), field = in.text("field"),
                  value = in.text("value", false)] {
           return done(service.edit_item(mailbox, id, field, value));
         }};
       }},
      {"edit-extended",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"), set = in.text("propertySet"),
                  name = in.text("name"), value = in.text("value", false)] {
           return done(service.edit_extended(mailbox, id, set, name, value));
         }};
       }},
      {"set-read",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"),
                  read = in.flag("isRead", true)] { return done(service.set_read(mailbox, id, read)); }};
       }},
      {"move-item",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"), folder = in.text("folder")] {
           return with_id(service.move_item(mailbox, id, folder));
         }};
       }},
      {"delete-item",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"), hard = in.flag("hard", false)] {
           return done(service.delete_item(mailbox, id, hard));
         }};
       }},
      {"respond",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"),
                  response = in.text("response")] { return done(service.respond(mailbox, id, response)); }};
       }},
      {"list",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), folder = in.text("folder")] {
           return list(service, mailbox, folder);
         }};
       }},
      {"folders",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox")] { return folders(service, mailbox); }};
       }},
      {"item-xml",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id")]() -> Result<json::value> {
           auto xml = service.item_xml(mailbox, id);
           if (!xml) return fail(std::move(xml.error()));
           return json::value(json::object{{"xml", clean(*xml)}});
         }};
       }},
      {"property",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id"),
                  field = in.text("field")]() -> Result<json::value> {
           auto value = service.property(mailbox, id, field);
           if (!value) return fail(std::move(value.error()));
           return json::value(json::object{{"value", clean(*value)}});
         }};
       }},
      {"mime",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), id = in.text("id")]() -> Result<json::value> {
           auto octets = service.mime(mailbox, id);
           if (!octets) return fail(std::move(octets.error()));
           return json::value(
               json::object{{"mimeBase64", syncline::base64_encode(std::string_view(*octets))}});
         }};
       }},
      {"sent-mail",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, from = in.text("mailbox", false)]() -> Result<json::value> {
           return sent_mail(service, from);
         }};
       }},
      {"fill",
       [](ExchangeService& service, Members& in) -> Prepared {
         return {[&service, mailbox = in.text("mailbox"), path = in.text("path")]() -> Result<json::value> {
           const auto filled = service.fill(mailbox, path);
           if (!filled) return fail(filled.error());
           return report(*filled);
         }};
       }},
      {"generate", [](ExchangeService& service, Members& in) -> Prepared {
         GeneratorOptions options;
         options.seed = in.number("seed", 1);
         options.messages = in.number("messages", 0);
         options.appointments = in.number("appointments", 0);
         options.contacts = in.number("contacts", 0);
         options.tasks = in.number("tasks", 0);
         options.message_bytes = in.number("messageBytes", 0);
         options.folder = in.text("folder", false);
         return {[&service, mailbox = in.text("mailbox"), options]() -> Result<json::value> {
           const auto filled = service.generate(mailbox, options);
           if (!filled) return fail(filled.error());
           return report(*filled);
         }};
       }}};
  return all;
}

json::value transport_state(const Transport& transport) {
  json::array waiting;
  for (const auto& mail : transport.waiting()) {
    json::array to;
    for (const auto& recipient : mail.to) to.emplace_back(clean(recipient));
    waiting.push_back(json::object{{"from", mail.from},
                                   {"to", std::move(to)},
                                   {"messageId", clean(mail.message_id)},
                                   {"attempts", mail.attempts},
                                   {"lastTrouble", clean(mail.last_trouble)}});
  }
  const auto sums = transport.sums();
  return json::object{{"smtpPort", transport.smtp_port()}, {"smartHost", to_string(transport.smart_host())},
                      {"received", sums.received},         {"delivered", sums.delivered},
                      {"handedOver", sums.handed_over},    {"returned", sums.returned},
                      {"waiting", std::move(waiting)}};
}

using PrepareTransport = std::function<Prepared(Transport&, Members&)>;

const std::map<std::string, PrepareTransport, std::less<>>& transport_commands() {
  static const std::map<std::string, PrepareTransport, std::less<>> all{
      {"transport",
       [](Transport& transport, Members&) -> Prepared {
         return {[&transport]() -> Result<json::value> { return transport_state(transport); }};
       }},
      {"set-smart-host", [](Transport& transport, Members& in) -> Prepared {
         return {[&transport, text = in.text("smartHost")]() -> Result<json::value> {
           const auto smart_host = parse_smart_host(text);
           if (!smart_host) return fail(ErrorDomain::input, "bad-command", "smartHost must be host:port");
           transport.set_smart_host(*smart_host);
           return transport_state(transport);
         }};
       }}};
  return all;
}

}  // namespace

Result<std::string> run_command(ExchangeService& service, Transport& transport, std::string_view text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  if (error || !value.is_object())
    return fail(ErrorDomain::input, "bad-command", "a command is a JSON object");
  Members members(value.as_object());
  const auto name = members.text("do");
  const auto found = commands().find(name);
  const auto of_transport = transport_commands().find(name);
  if (found == commands().end() && of_transport == transport_commands().end())
    return fail(ErrorDomain::input, "bad-command", "no command \"" + clean(name) + "\"");
  const auto prepared =
      found != commands().end() ? found->second(service, members) : of_transport->second(transport, members);
  if (!members.complaint().empty()) return fail(ErrorDomain::input, "bad-command", members.complaint());
  auto result = prepared.act();
  if (!result) return fail(std::move(result.error()));
  return json::serialize(*result);
}

}  // namespace exchange_sim
