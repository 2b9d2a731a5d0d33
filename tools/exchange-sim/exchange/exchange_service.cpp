// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/exchange/exchange_service.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/text.hpp"
#include "tools/exchange-sim/exchange/apply.hpp"
#include "tools/exchange-sim/exchange/fill.hpp"
#include "tools/exchange-sim/exchange/mailing.hpp"
#include "tools/exchange-sim/exchange/mime.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Error;
using syncline::Result;

using Operation = OperationResult (*)(Context&, const Element&);

const std::unordered_map<std::string_view, Operation>& operations() {
  static const std::unordered_map<std::string_view, Operation> all = {
      {"GetFolder", get_folder},
      {"FindFolder", find_folders},
      {"CreateFolder", create_folder},
      {"UpdateFolder", update_folder},
      {"DeleteFolder", delete_folder},
      {"EmptyFolder", empty_folder},
      {"MoveFolder", move_folder},
      {"MarkAllItemsAsRead", mark_all_items_as_read},
      {"SyncFolderHierarchy", sync_folder_hierarchy},
      {"SyncFolderItems", sync_folder_items},
      {"FindItem", find_items},
      {"GetItem", get_item},
      {"CreateItem", create_item},
      {"UpdateItem", update_item},
      {"DeleteItem", delete_item},
      {"MoveItem", move_or_copy_item},
      {"CopyItem", move_or_copy_item},
      {"SendItem", send_item},
      {"CreateAttachment", create_attachment},
      {"GetAttachment", get_attachment},
      {"DeleteAttachment", delete_attachment},
      {"Subscribe", subscribe},
      {"Unsubscribe", unsubscribe},
      {"GetEvents", get_events},
      {"ResolveNames", resolve_names},
      {"GetServerTimeZones", get_server_time_zones},
      {"ConvertId", convert_id},
  };
  return all;
}

Reply fault(const Error& error) {
  Reply reply;
  reply.http_status = 500;
  std::string& out = reply.body_xml;
  out =
      "<s:Fault xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><faultcode "
      "xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">a:" +
      error.code + "</faultcode><faultstring xml:lang=\"en-US\">";
  append_escaped(out, error.message);
  out +=
      "</faultstring><detail><e:ResponseCode "
      "xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">" +
      error.code +
      "</e:ResponseCode><e:Message xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">";
  append_escaped(out, error.message);
  out += "</e:Message></detail></s:Fault>";
  return reply;
}

Result<Zone> zone_of_header(const Element& envelope) {
  const Element* header = envelope.child("Header");
  const Element* zone = header == nullptr ? nullptr : header->child("TimeZoneContext");
  const Element* definition = zone == nullptr ? nullptr : zone->child("TimeZoneDefinition");
  if (definition == nullptr) return utc_zone();
  return read_zone(*definition);
}

}  // namespace

std::string_view to_string(MailReason reason) noexcept {
  constexpr std::string_view kNames[] = {"message",  "invitation", "update", "cancellation",
                                         "response", "reply",      "forward"};
  return kNames[static_cast<std::size_t>(reason)];
}

class ExchangeService::Impl {
 public:
  Impl(const syncline::Clock& clock, syncline::Random& random, const Limits& limits)
      : store(clock, random, limits) {}

  Result<Mailbox*> mailbox(std::string_view address) {
    if (Mailbox* found = store.mailbox(address)) return found;
    return refuse("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.");
  }
  Context context(Mailbox& mailbox) { return Context{store, mailbox, utc_zone()}; }

  /// An id, a distinguished name, or a path from either.
  Result<Folder*> folder(Mailbox& mailbox, std::string_view name) {
    const auto parts = syncline::text::split(name, '/');
    Folder* at = nullptr;
    std::size_t used = 1;
    if (const auto id = decode_id(name); id && id->type == IdType::folder && id->mailbox == mailbox.guid) {
      // Base64 may hold slashes: the whole text is tried as an id first.
      at = mailbox.folder(id->number);
      used = parts.size();
    } else {
      at = mailbox.folder(parts.front());
      if (at == nullptr) {
        at = mailbox.folder("msgfolderroot");
        used = 0;
      }
    }
    for (; at != nullptr && used < parts.size(); ++used) {
      Folder* next = nullptr;
      for (const std::uint32_t child : store.children_of(mailbox, at->number))
        if (syncline::text::equals_ignore_case(mailbox.folder(child)->name, parts[used]))
          next = mailbox.folder(child);
      at = next;
    }
    if (at == nullptr) return refuse("ErrorFolderNotFound", "No folder is named " + std::string(name));
    return at;
  }

  struct Found {
    Context context;
    ItemRef ref;
  };
  Result<Found> item(std::string_view address, std::string_view id) {
    auto box = mailbox(address);
    if (!box) return syncline::fail(std::move(box.error()));
    Context c = context(**box);
    auto ref = find_item(c, id);
    if (!ref) return syncline::fail(std::move(ref.error()));
    return Found{c, *ref};
  }

  Store store;
};

ExchangeService::ExchangeService(const syncline::Clock& clock, syncline::Random& random, Limits limits)
    : impl_(std::make_unique<Impl>(clock, random, limits)) {}
ExchangeService::~ExchangeService() = default;

Reply ExchangeService::handle(const Caller& caller, std::string_view soap_xml) {
  const Limits& limits = impl_->store.limits();
  auto envelope = parse_xml(soap_xml, {limits.request_depth, limits.request_elements});
  if (!envelope)
    return fault(
        refuse("ErrorSchemaValidation", "The request failed schema validation: " + envelope.error().message)
            .value());
  const Element* body = envelope->child("Body");
  if (envelope->name != "Envelope" || body == nullptr || body->children.size() != 1)
    return fault(
        refuse("ErrorSchemaValidation", "The request failed schema validation: no operation in the body.")
            .value());
  const Element& request = body->children.front();
  const auto operation = operations().find(request.name);
  if (operation == operations().end())
    return fault(refuse("ErrorInvalidOperation", "The operation is not supported: " + request.name).value());
  Mailbox* mailbox = impl_->store.mailbox(caller.mailbox);
  if (mailbox == nullptr ||
      (!mailbox->definition.site.empty() && !caller.site.empty() && mailbox->definition.site != caller.site))
    return fault(
        refuse("ErrorNonExistentMailbox", "The SMTP address has no mailbox associated with it.").value());
  auto zone = zone_of_header(*envelope);
  if (!zone) return fault(zone.error());
  Context context{impl_->store, *mailbox, std::move(*zone), caller.authenticated_as};
  auto result = operation->second(context, request);
  if (!result) return fault(result.error());
  return Reply{200, std::move(*result)};
}

std::vector<UnusableSubscription> ExchangeService::unusable_subscriptions(
    const Caller& caller, const std::vector<std::string>& ids) {
  std::vector<UnusableSubscription> unusable;
  for (const std::string& id : ids) {
    const auto at = impl_->store.subscriptions().find(id);
    if (at == impl_->store.subscriptions().end() || !at->second.streaming) {
      unusable.push_back({id, false});
    } else if (at->second.owner != caller.authenticated_as) {
      // The account counts, not the mailbox: one connection carries the subscriptions of many mailboxes that
      // one account impersonates.
      unusable.push_back({id, true});
    }
  }
  return unusable;
}

std::vector<Notification> ExchangeService::drain(const std::vector<std::string>& ids) {
  std::vector<std::pair<std::uint64_t, Notification>> collected;
  for (const std::string& id : ids) {
    const auto at = impl_->store.subscriptions().find(id);
    if (at == impl_->store.subscriptions().end()) continue;
    at->second.last_asked = impl_->store.now();
    for (Event& event : at->second.events)
      collected.emplace_back(event.sequence, Notification{id, std::move(event.xml)});
    at->second.events.clear();
  }
  std::sort(collected.begin(), collected.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Notification> out;
  out.reserve(collected.size());
  for (auto& [sequence, notification] : collected) out.push_back(std::move(notification));
  return out;
}

void ExchangeService::on_event(std::function<void(const std::string&)> callback) {
  impl_->store.set_event_callback(std::move(callback));
}

std::string ExchangeService::mailbox_of(std::string_view address) const {
  const Mailbox* mailbox = impl_->store.mailbox(address);
  return mailbox == nullptr ? std::string() : mailbox->definition.address;
}

void ExchangeService::on_outgoing(std::function<void(OutgoingMail)> callback) {
  impl_->store.set_outgoing_callback(std::move(callback));
}

Result<void> ExchangeService::add_mailbox(const MailboxDefinition& definition) {
  if (definition.address.find('@') == std::string::npos)
    return syncline::fail(syncline::ErrorDomain::input, "bad-address",
                          "not an address: " + definition.address);
  if (impl_->store.mailbox(definition.address) != nullptr)
    return syncline::fail(syncline::ErrorDomain::input, "exists",
                          "the mailbox is there already: " + definition.address);
  impl_->store.add_mailbox(definition);
  return {};
}

Result<void> ExchangeService::remove_mailbox(std::string_view address) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  impl_->store.remove_mailbox(**mailbox);
  return {};
}

Result<void> ExchangeService::grant_send_on_behalf(std::string_view mailbox, std::string_view delegate) {
  auto owner = impl_->mailbox(mailbox);
  if (!owner) return syncline::fail(std::move(owner.error()));
  auto sender = impl_->mailbox(delegate);
  if (!sender) return syncline::fail(std::move(sender.error()));
  (*owner)->delegates.insert((*sender)->definition.address);
  return {};
}

Result<void> ExchangeService::move_mailbox(std::string_view address, std::string_view site,
                                           std::string_view alias) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  if (const Mailbox* other = impl_->store.mailbox(alias); other != nullptr && other != *mailbox)
    return syncline::fail(syncline::ErrorDomain::input, "exists",
                          "another mailbox has this address: " + std::string(alias));
  impl_->store.move_mailbox(**mailbox, std::string(site), alias);
  return {};
}

std::vector<MailboxDefinition> ExchangeService::mailboxes() const {
  std::vector<MailboxDefinition> all;
  for (const auto& mailbox : impl_->store.mailboxes())
    if (!mailbox->removed) all.push_back(mailbox->definition);
  return all;
}

bool ExchangeService::has_mailbox(std::string_view address) const {
  return impl_->store.mailbox(address) != nullptr;
}

Result<void> ExchangeService::invalidate_sync_states(std::string_view address, std::string_view folder) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  if (folder.empty()) {
    ++(*mailbox)->hierarchy_epoch;
    for (const auto& f : (*mailbox)->folders)
      if (f) ++f->epoch;
    return {};
  }
  auto found = impl_->folder(**mailbox, folder);
  if (!found) return syncline::fail(std::move(found.error()));
  ++(*found)->epoch;
  return {};
}

Result<void> ExchangeService::set_unreadable(std::string_view mailbox, std::string_view id,
                                             std::string response_code, bool mime_only) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  auto& unreadable = found->ref.mailbox->unreadable;
  if (response_code.empty()) {
    unreadable.erase(found->ref.item->number);
  } else {
    unreadable[found->ref.item->number] = {std::move(response_code), mime_only};
  }
  return {};
}

void ExchangeService::drop_subscriptions(std::string_view address) {
  const Mailbox* mailbox = impl_->store.mailbox(address);
  std::erase_if(impl_->store.subscriptions(), [&](const auto& entry) {
    return address.empty() || (mailbox != nullptr && entry.second.mailbox == mailbox->index);
  });
}

Result<std::string> ExchangeService::add_folder(std::string_view address, std::string_view parent,
                                                std::string_view name, std::string_view folder_class) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto above = impl_->folder(**mailbox, parent);
  if (!above) return syncline::fail(std::move(above.error()));
  for (const std::uint32_t child : impl_->store.children_of(**mailbox, (*above)->number))
    if (syncline::text::equals_ignore_case((*mailbox)->folder(child)->name, name))
      return refuse("ErrorFolderExists", "A folder with the specified name already exists.");
  const Folder& made = impl_->store.add_folder(**mailbox, (*above)->number, name, folder_class);
  return impl_->store.folder_id(**mailbox, made);
}

Result<void> ExchangeService::delete_folder(std::string_view address, std::string_view folder) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto found = impl_->folder(**mailbox, folder);
  if (!found) return syncline::fail(std::move(found.error()));
  if (!(*found)->distinguished.empty())
    return refuse("ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.");
  impl_->store.remove_folder(**mailbox, (*found)->number);
  return {};
}

Result<std::string> ExchangeService::add_item(std::string_view address, std::string_view folder,
                                              std::string_view item_xml) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto into = impl_->folder(**mailbox, folder);
  if (!into) return syncline::fail(std::move(into.error()));
  auto root = parse_fragment(item_xml);
  if (!root) return syncline::fail(std::move(root.error()));
  if (root->children.size() != 1) return refuse("ErrorSchemaValidation", "one item is expected");
  Context context = impl_->context(**mailbox);
  auto item = build_item(context, root->children.front());
  if (!item) return syncline::fail(std::move(item.error()));
  if (auto fits = check_folder_fits(**into, **item); !fits) return syncline::fail(std::move(fits.error()));
  const std::string now = format_utc(impl_->store.now());
  if ((*item)->kind == ItemKind::message) {
    if (!(*item)->bag.has(f_received)) (*item)->bag.set(f_received, now);
    if (!(*item)->bag.has(f_sent)) (*item)->bag.set(f_sent, now);
    if (!(*item)->bag.has(f_internet_message_id))
      (*item)->bag.set(f_internet_message_id, impl_->store.new_message_id());
    (*item)->is_draft = (*into)->distinguished == "drafts";
    set_conversation(context, **item, {});
  }
  return impl_->store.item_id(**mailbox, impl_->store.insert(**mailbox, (*into)->number, std::move(*item)));
}

namespace {
Result<std::string> insert_mime(Store& store, Mailbox& mailbox, Folder& folder, std::string_view mime,
                                bool is_read, bool new_mail) {
  Context context{store, mailbox, utc_zone()};
  auto item = item_from_mime(context, std::string(mime));
  item->is_read = is_read;
  item->is_unmodified = true;
  item->bag.set(f_received, format_utc(store.now()));
  if (!item->bag.has(f_sent)) item->bag.set(f_sent, format_utc(store.now()));
  if (!item->bag.has(f_internet_message_id)) item->bag.set(f_internet_message_id, store.new_message_id());
  set_conversation(context, *item, {});
  return store.item_id(mailbox, store.insert(mailbox, folder.number, std::move(item), new_mail));
}
}  // namespace

Result<std::string> ExchangeService::add_mime(std::string_view address, std::string_view folder,
                                              std::string_view mime, bool is_read) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto into = impl_->folder(**mailbox, folder);
  if (!into) return syncline::fail(std::move(into.error()));
  return insert_mime(impl_->store, **mailbox, **into, mime, is_read, false);
}

Result<std::string> ExchangeService::deliver(std::string_view address, std::string_view mime) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  return insert_mime(impl_->store, **mailbox, *(*mailbox)->folder("inbox"), mime, false, true);
}

Result<void> ExchangeService::edit_item(std::string_view mailbox, std::string_view id, std::string_view field,
                                        std::string_view value) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  const std::size_t slash = field.find('/');
  const std::string_view uri = field.substr(0, slash);
  std::string path = slash == std::string_view::npos ? "<t:FieldURI" : "<t:IndexedFieldURI";
  append_attribute(path, "FieldURI", uri);
  if (slash != std::string_view::npos) append_attribute(path, "FieldIndex", field.substr(slash + 1));
  path += "/>";
  std::string updates = "<t:Updates>";
  if (value.empty()) {
    updates += "<t:DeleteItemField>" + path + "</t:DeleteItemField>";
  } else {
    updates += "<t:SetItemField>" + path + "<t:Item>";
    if (slash == std::string_view::npos) {
      const auto known = field_by_uri(uri);
      if (!known) return refuse("ErrorInvalidPropertySet", "The property is not known: " + std::string(uri));
      const FieldDefinition& definition = field_definition(*known);
      const std::string element(definition.element);
      updates += "<t:" + element + '>';
      if (definition.kind == ValueKind::xml) {
        updates += value;
      } else {
        append_escaped(updates, value);
      }
      updates += "</t:" + element + '>';
    } else {
      Element uri_element;
      uri_element.attributes = {{"FieldURI", std::string(uri)},
                                {"FieldIndex", std::string(field.substr(slash + 1))}};
      const auto name = read_dictionary_name(uri_element);
      if (!name) return refuse("ErrorInvalidPropertySet", "The property is not known: " + std::string(field));
      const std::string element(field_definition(name->field).element);
      updates += "<t:" + element + "><t:Entry";
      append_attribute(updates, "Key", name->key);
      updates += '>';
      if (name->part.empty()) {
        append_escaped(updates, value);
      } else {
        append_text_element(updates, name->part, value);
      }
      updates += "</t:Entry></t:" + element + '>';
    }
    updates += "</t:Item></t:SetItemField>";
  }
  updates += "</t:Updates>";
  auto root = parse_fragment(updates);
  if (!root) return syncline::fail(std::move(root.error()));
  Item& item = *found->ref.item;
  const Item before(item);
  if (found->ref.day) {
    auto occurrences = item.occurrences ? std::make_unique<std::map<Day, Occurrence>>(*item.occurrences)
                                        : std::make_unique<std::map<Day, Occurrence>>();
    Occurrence& o = (*occurrences)[*found->ref.day];
    if (auto done = apply_updates(found->context, {item, o.changes, true}, root->children.front()); !done)
      return done;
    item.occurrences = std::move(occurrences);
    impl_->store.touch(*found->ref.mailbox, item, &before);
    (*item.occurrences)[*found->ref.day].version = item.version;
    return {};
  }
  Item edited(item);
  if (auto done = apply_updates(found->context, {edited, edited.bag, false}, root->children.front()); !done)
    return done;
  if (auto done = settle(found->context, edited, &before); !done) return done;
  item.bag = edited.bag;
  item.mime = edited.mime;
  item.occurrences = std::move(edited.occurrences);
  if (edited.is_read != item.is_read) {
    impl_->store.set_read(*found->ref.mailbox, item, edited.is_read);
    return {};
  }
  impl_->store.touch(*found->ref.mailbox, item, &before);
  return {};
}

Result<void> ExchangeService::edit_extended(std::string_view mailbox, std::string_view id,
                                            std::string_view property_set, std::string_view name,
                                            std::string_view value) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  ExtendedName extended{property_set.find('-') == std::string_view::npos
                            ? std::string(property_set)
                            : syncline::text::to_lower_ascii(property_set),
                        std::string(name), -1, -1, "String"};
  const PropertyId property = impl_->store.extended_id(extended);
  if (property == 0) return refuse("ErrorItemSavePropertyError", "Too many properties.");
  const Item before(*found->ref.item);
  if (value.empty()) {
    found->ref.item->bag.erase(property);
  } else {
    found->ref.item->bag.set(property, value);
  }
  impl_->store.touch(*found->ref.mailbox, *found->ref.item, &before);
  return {};
}

Result<void> ExchangeService::set_read(std::string_view mailbox, std::string_view id, bool is_read) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  impl_->store.set_read(*found->ref.mailbox, *found->ref.item, is_read);
  return {};
}

Result<std::string> ExchangeService::move_item(std::string_view mailbox, std::string_view id,
                                               std::string_view folder) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  auto into = impl_->folder(*found->ref.mailbox, folder);
  if (!into) return syncline::fail(std::move(into.error()));
  if (found->ref.day)
    return refuse("ErrorCalendarCannotMoveOrCopyOccurrence", "An occurrence can not be moved.");
  Mailbox& box = *found->ref.mailbox;
  return impl_->store.item_id(box, impl_->store.move(box, found->ref.item->number, box, (*into)->number));
}

Result<void> ExchangeService::delete_item(std::string_view mailbox, std::string_view id, bool hard) {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  dispose(found->context, found->ref, hard ? "HardDelete" : "MoveToDeletedItems");
  return {};
}

Result<void> ExchangeService::respond(std::string_view mailbox, std::string_view id,
                                      std::string_view response) {
  if (response != "Accept" && response != "Tentative" && response != "Decline")
    return syncline::fail(syncline::ErrorDomain::input, "bad-response",
                          "not a response: " + std::string(response));
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  auto done = respond_to_meeting(found->context, found->ref, response, true, true, nullptr);
  if (!done) return syncline::fail(std::move(done.error()));
  return {};
}

Result<std::vector<ItemView>> ExchangeService::list(std::string_view address, std::string_view folder) const {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto found = impl_->folder(**mailbox, folder);
  if (!found) return syncline::fail(std::move(found.error()));
  std::vector<ItemView> views;
  for (const std::uint32_t number : (*found)->items) {
    const Item& item = *(*mailbox)->item(number);
    const ItemRef ref{*mailbox, (*mailbox)->item(number), std::nullopt};
    ItemView view;
    view.id = impl_->store.item_id(**mailbox, item);
    view.change_key = encode_change_key(item.version, false);
    view.element = element_of(item.kind);
    view.item_class = item.bag.find(f_item_class).value_or(default_class(item.kind));
    view.subject = item.bag.get(f_subject);
    view.is_read = item.is_read;
    view.is_draft = item.is_draft;
    view.size = size_of(ref);
    view.attachments = item.attachments.size();
    views.push_back(std::move(view));
  }
  return views;
}

Result<std::vector<FolderView>> ExchangeService::folders(std::string_view address) const {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  std::vector<FolderView> views;
  for (const auto& folder : (*mailbox)->folders) {
    if (!folder) continue;
    const Folder* parent = (*mailbox)->folder(folder->parent);
    views.push_back({impl_->store.folder_id(**mailbox, *folder),
                     parent == nullptr ? std::string() : impl_->store.folder_id(**mailbox, *parent),
                     folder->name, folder->folder_class, folder->distinguished, folder->items.size(),
                     folder->unread});
  }
  return views;
}

namespace {
Result<Shape> all_properties(Context& context) {
  Element all;
  all.name = "ItemShape";
  all.children.push_back({"BaseShape", "", {}, "AllProperties", {}});
  return read_shape(context, &all, false);
}
}  // namespace

Result<std::string> ExchangeService::item_xml(std::string_view mailbox, std::string_view id) const {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  auto shape = all_properties(found->context);
  if (!shape) return syncline::fail(std::move(shape.error()));
  found->ref.item->bag.for_each([&](PropertyId property, std::string_view) {
    if (const ExtendedName* name =
            property < kFirstDynamic ? nullptr : impl_->store.extended_name(property)) {
      shape->extended.push_back(*name);
      shape->extended_ids.push_back(property);
    }
  });
  std::string out;
  write_item(out, found->context, found->ref, *shape);
  return out;
}

Result<std::string> ExchangeService::property(std::string_view mailbox, std::string_view id,
                                              std::string_view field) const {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  if (const std::size_t slash = field.find('/'); slash != std::string_view::npos) {
    Element uri;
    uri.attributes = {{"FieldURI", std::string(field.substr(0, slash))},
                      {"FieldIndex", std::string(field.substr(slash + 1))}};
    const auto name = read_dictionary_name(uri);
    const PropertyId property = name ? impl_->store.find_dictionary(*name) : PropertyId{0};
    return property == 0 ? std::string() : std::string(found->ref.get(property));
  }
  const auto known = field_by_uri(field);
  if (!known)
    return refuse("ErrorInvalidPropertyRequest", "The property is not known: " + std::string(field));
  return text_of(found->context, found->ref, *known).value_or(std::string());
}

Result<std::string> ExchangeService::mime(std::string_view mailbox, std::string_view id) const {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  return mime_of(found->context, found->ref);
}

Result<std::vector<std::pair<std::string, std::string>>> ExchangeService::attachments(
    std::string_view mailbox, std::string_view id) const {
  auto found = impl_->item(mailbox, id);
  if (!found) return syncline::fail(std::move(found.error()));
  auto shape = all_properties(found->context);
  if (!shape) return syncline::fail(std::move(shape.error()));
  std::vector<std::pair<std::string, std::string>> out;
  for (const Attachment& attachment : found->ref.attachments()) {
    std::string content;
    if (attachment.content) content = *attachment.content;
    if (attachment.item)
      write_item(content, found->context, {found->ref.mailbox, attachment.item.get(), std::nullopt}, *shape);
    out.emplace_back(attachment.name, std::move(content));
  }
  return out;
}

std::vector<SentMail> ExchangeService::sent_mail(std::string_view from) const {
  if (from.empty()) return impl_->store.ledger();
  std::vector<SentMail> some;
  const std::string address = syncline::text::to_lower_ascii(from);
  for (const SentMail& mail : impl_->store.ledger())
    if (mail.from == address) some.push_back(mail);
  return some;
}

std::uint64_t ExchangeService::items_read() const noexcept {
  return impl_->store.items_read();
}

std::uint64_t ExchangeService::blind_updates() const noexcept {
  return impl_->store.blind_updates();
}

Result<FillReport> ExchangeService::fill(std::string_view address, const std::filesystem::path& folder) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  Context context = impl_->context(**mailbox);
  return fill_from_files(context, folder);
}

Result<FillReport> ExchangeService::generate(std::string_view address, const GeneratorOptions& options) {
  auto mailbox = impl_->mailbox(address);
  if (!mailbox) return syncline::fail(std::move(mailbox.error()));
  auto into = impl_->folder(**mailbox, options.folder.empty() ? "inbox" : options.folder);
  if (!into) return syncline::fail(std::move(into.error()));
  Context context = impl_->context(**mailbox);
  return generate_items(context, **into, options);
}

}  // namespace exchange_sim
