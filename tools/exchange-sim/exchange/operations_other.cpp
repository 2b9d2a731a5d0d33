// SPDX-License-Identifier: GPL-3.0-or-later
// Attachments, subscriptions, names, time zones, ids.
#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/apply.hpp"
#include "tools/exchange-sim/exchange/operations.hpp"
#include "tools/exchange-sim/exchange/shape.hpp"

namespace exchange_sim {
namespace {

using syncline::Result;

syncline::unexpected<syncline::Error> schema(std::string what) {
  return refuse("ErrorSchemaValidation", std::move(what));
}

struct AttachmentRef {
  ItemRef owner;
  std::vector<std::uint32_t> path;
  std::vector<Attachment>* list = nullptr;
  std::size_t at = 0;
  Attachment& get() const { return (*list)[at]; }
};

Result<AttachmentRef> find_attachment(Context& context, const Element& id_element) {
  const std::string_view text = id_element.attribute_or("Id", "");
  const auto id = decode_id(text);
  if (!id) return refuse("ErrorInvalidIdMalformed", "Id is malformed.");
  if (id->type != IdType::attachment)
    return refuse("ErrorInvalidAttachmentId", "The id is not that of an attachment.");
  const auto gone = [] { return item_not_found(); };
  if (id->mailbox != context.mailbox.guid)
    return refuse("ErrorAccessDenied", "Access is denied. Check credentials and try again.");
  Item* item = context.mailbox.item(id->number);
  if (item == nullptr) return item_not_found();
  AttachmentRef ref;
  ref.owner = {&context.mailbox, item, std::nullopt};
  ref.path = id->path;
  std::vector<Attachment>* list = &item->attachments;
  if (id->original_day != 0 && item->occurrences) {
    const auto day = item->occurrences->find(id->original_day);
    if (day != item->occurrences->end() && day->second.own_attachments) {
      list = &day->second.attachments;
      ref.owner.day = id->original_day;
    }
  }
  for (std::size_t level = 0; level < id->path.size(); ++level) {
    const auto at = std::find_if(list->begin(), list->end(),
                                 [&](const Attachment& a) { return a.serial == id->path[level]; });
    if (at == list->end()) return gone();
    ref.list = list;
    ref.at = static_cast<std::size_t>(at - list->begin());
    if (level + 1 == id->path.size()) return ref;
    if (!at->item) return gone();
    list = &at->item->attachments;
  }
  return gone();
}

}  // namespace

OperationResult create_attachment(Context& context, const Element& request) {
  const Element* parent = request.child("ParentItemId");
  const Element* attachments = request.child("Attachments");
  if (parent == nullptr || attachments == nullptr) return schema("ParentItemId or Attachments is missing");
  Response response("CreateAttachment");
  // An item attachment may be the parent too: its id is an attachment's.
  std::optional<std::uint64_t> key;
  Element as_item = *parent;
  as_item.name = "ItemId";
  auto ref = find_item(context, as_item, &key);
  const auto create_one = [&](const Element& element) -> Result<void> {
    if (!ref) return syncline::fail(ref.error());
    auto built = build_attachment(context, element, 1);
    if (!built) return syncline::fail(std::move(built.error()));
    const std::size_t size = built->content ? built->content->size() : 0;
    if (size + size_of(*ref) > context.store.limits().message_bytes)
      return refuse("ErrorMessageSizeExceeded", "The message exceeds the maximum supported size.");
    built->serial = ref->item->next_serial++;
    if (ref->item->kind == ItemKind::contact &&
        syncline::text::equals_ignore_case(built->name, "ContactPicture.jpg"))
      built->is_contact_photo = true;
    if (built->is_contact_photo)
      std::erase_if(ref->item->attachments, [](const Attachment& a) { return a.is_contact_photo; });
    const std::uint32_t serial = built->serial;
    const std::string_view name = element_of(built->kind);
    if (ref->day) {
      if (!ref->item->occurrences) ref->item->occurrences = std::make_unique<std::map<Day, Occurrence>>();
      Occurrence& o = (*ref->item->occurrences)[*ref->day];
      if (!o.own_attachments) o.attachments = ref->item->attachments;
      o.own_attachments = true;
      o.attachments.push_back(std::move(*built));
    } else {
      ref->item->attachments.push_back(std::move(*built));
    }
    context.store.touch(context.mailbox, *ref->item);
    std::string& out = response.begin();
    out += "<m:Attachments><t:" + std::string(name) + "><t:AttachmentId";
    append_attribute(out, "Id", attachment_id(*ref, {serial}));
    append_attribute(out, "RootItemId", item_ref_id(context.store, *ref));
    append_attribute(out, "RootItemChangeKey", encode_change_key(ref->version(), false));
    out += "/></t:" + std::string(name) + "></m:Attachments>";
    response.end();
    return {};
  };
  for (const Element& element : attachments->children)
    if (auto done = create_one(element); !done) response.error(done.error(), "<m:Attachments/>");
  return response.take();
}

OperationResult get_attachment(Context& context, const Element& request) {
  const Element* ids = request.child("AttachmentIds");
  if (ids == nullptr) return schema("AttachmentIds is missing");
  Response response("GetAttachment");
  // The item inside is given whole; the shape may add MIME and extended properties.
  Element all;
  all.name = "ItemShape";
  all.children.push_back({"BaseShape", "", {}, "AllProperties", {}});
  if (const Element* shape = request.child("AttachmentShape"))
    for (const Element& child : shape->children) all.children.push_back(child);
  auto shape = read_shape(context, &all, false);
  if (!shape) return syncline::fail(std::move(shape.error()));
  for (const Element& id : ids->children) {
    auto found = find_attachment(context, id);
    if (!found) {
      response.error(found.error(), "<m:Attachments/>");
      continue;
    }
    std::string& out = response.begin();
    const Attachment& a = found->get();
    if (a.content) out.reserve(out.size() + a.content->size() / 3 * 4 + 4096);
    out += "<m:Attachments>";
    write_attachment(out, context, found->owner, a, found->path, true, &*shape);
    out += "</m:Attachments>";
    response.end();
  }
  return response.take();
}

OperationResult delete_attachment(Context& context, const Element& request) {
  const Element* ids = request.child("AttachmentIds");
  if (ids == nullptr) return schema("AttachmentIds is missing");
  Response response("DeleteAttachment");
  for (const Element& id : ids->children) {
    auto found = find_attachment(context, id);
    if (!found) {
      response.error(found.error());
      continue;
    }
    found->list->erase(found->list->begin() + static_cast<std::ptrdiff_t>(found->at));
    context.store.touch(context.mailbox, *found->owner.item);
    std::string& out = response.begin();
    out += "<m:RootItemId";
    append_attribute(out, "RootItemId", item_ref_id(context.store, found->owner));
    append_attribute(out, "RootItemChangeKey", encode_change_key(found->owner.version(), false));
    out += "/>";
    response.end();
  }
  return response.take();
}

OperationResult subscribe(Context& context, const Element& request) {
  Response response("Subscribe");
  if (request.children.empty()) return schema("A subscription request is missing");
  const Element& asked = request.children.front();
  const bool streaming = asked.name == "StreamingSubscriptionRequest";
  if (!streaming && asked.name != "PullSubscriptionRequest") {
    response.error(refuse("ErrorInvalidSubscriptionRequest", "Push subscriptions are not offered.").value());
    return response.take();
  }
  Subscription subscription;
  subscription.mailbox = context.mailbox.index;
  subscription.owner = context.account;
  subscription.streaming = streaming;
  subscription.all_folders = is_true(asked.attribute_or("SubscribeToAllFolders", "false"));
  if (const Element* folders = asked.child("FolderIds")) {
    if (subscription.all_folders) {
      response.error(refuse("ErrorInvalidSubscriptionRequest", "Either all folders or some.").value());
      return response.take();
    }
    for (const Element& id : folders->children) {
      auto folder = find_folder(context, id);
      if (!folder) {
        response.error(folder.error());
        return response.take();
      }
      subscription.folders.insert(folder->folder->number);
    }
  } else if (!subscription.all_folders) {
    response.error(refuse("ErrorInvalidSubscriptionRequest", "No folder was named.").value());
    return response.take();
  }
  constexpr EventType kTypes[] = {EventType::copied,   EventType::created, EventType::deleted,
                                  EventType::modified, EventType::moved,   EventType::new_mail,
                                  EventType::free_busy};
  const Element* types = asked.child("EventTypes");
  if (types == nullptr) return schema("EventTypes is missing");
  for (const Element& type : types->children)
    for (const EventType t : kTypes)
      if (syncline::text::trim(type.text) == to_string(t))
        subscription.types |= 1U << static_cast<unsigned>(t);
  const auto timeout = syncline::text::parse_int(asked.child_text("Timeout"));
  subscription.lifetime = streaming ? 30 * 60 : std::clamp<std::int64_t>(timeout.value_or(30), 1, 1440) * 60;
  subscription.last_asked = context.store.now();
  auto& all = context.store.subscriptions();
  std::erase_if(all, [&](const auto& entry) {
    return !entry.second.streaming && entry.second.last_asked + entry.second.lifetime < context.store.now();
  });
  const auto mine = std::count_if(all.begin(), all.end(), [&](const auto& entry) {
    return entry.second.mailbox == context.mailbox.index;
  });
  if (static_cast<std::size_t>(mine) >= context.store.limits().subscriptions) {
    response.error(refuse("ErrorExceededSubscriptionCount",
                          "You have exceeded the available subscriptions for your account.")
                       .value());
    return response.take();
  }
  subscription.id = context.store.new_subscription_id(context.mailbox);
  subscription.first_kept = context.store.event_sequence();
  std::string& out = response.begin();
  out += "<m:SubscriptionId>" + subscription.id + "</m:SubscriptionId>";
  if (!streaming)
    out += "<m:Watermark>" + encode_change_key(context.store.event_sequence(), false) + "</m:Watermark>";
  response.end();
  all.emplace(subscription.id, std::move(subscription));
  return response.take();
}

namespace {
bool may_use(const Context& context, const Subscription& subscription) {
  return subscription.mailbox == context.mailbox.index && subscription.owner == context.account;
}
}  // namespace

OperationResult unsubscribe(Context& context, const Element& request) {
  Response response("Unsubscribe");
  const std::string id(request.child_text("SubscriptionId"));
  auto& all = context.store.subscriptions();
  const auto at = all.find(id);
  if (at == all.end()) {
    response.error(refuse("ErrorSubscriptionNotFound", "The specified subscription was not found.").value());
  } else if (!may_use(context, at->second)) {
    response.error(refuse("ErrorSubscriptionAccessDenied", "Only the owner may use a subscription.").value());
  } else {
    all.erase(at);
    response.success();
  }
  return response.take();
}

OperationResult get_events(Context& context, const Element& request) {
  Response response("GetEvents");
  const std::string id(request.child_text("SubscriptionId"));
  auto& all = context.store.subscriptions();
  const auto at = all.find(id);
  const auto watermark = decode_change_key(request.child_text("Watermark"));
  const auto refuse_with = [&](const char* code, const char* text) -> OperationResult {
    response.error(refuse(code, text).value());
    return response.take();
  };
  if (at == all.end())
    return refuse_with("ErrorSubscriptionNotFound", "The specified subscription was not found.");
  Subscription& s = at->second;
  if (!may_use(context, s))
    return refuse_with("ErrorSubscriptionAccessDenied", "Only the owner may use a subscription.");
  if (s.streaming)
    return refuse_with("ErrorInvalidPullSubscriptionId", "The subscription is not a pull subscription.");
  if (s.last_asked + s.lifetime < context.store.now()) {
    all.erase(at);
    return refuse_with("ErrorExpiredSubscription", "The subscription has expired.");
  }
  if (!watermark || *watermark < s.first_kept || *watermark > context.store.event_sequence())
    return refuse_with("ErrorInvalidWatermark", "The watermark is invalid.");
  s.last_asked = context.store.now();
  while (!s.events.empty() && s.events.front().sequence <= *watermark) s.events.pop_front();
  s.first_kept = *watermark;
  constexpr std::size_t kEventsOfOneReply = 50;
  const std::size_t count = std::min(s.events.size(), kEventsOfOneReply);
  std::string& out = response.begin();
  out += "<m:Notification><t:SubscriptionId>" + id + "</t:SubscriptionId><t:PreviousWatermark>" +
         std::string(request.child_text("Watermark")) + "</t:PreviousWatermark><t:MoreEvents>" +
         (count < s.events.size() ? "true" : "false") + "</t:MoreEvents>";
  for (std::size_t i = 0; i < count; ++i) {
    const Event& event = s.events[i];
    const std::size_t place = event.xml.find('>') + 1;
    out.append(event.xml, 0, place);
    out += "<t:Watermark>" + encode_change_key(event.sequence, false) + "</t:Watermark>";
    out.append(event.xml, place);
  }
  if (count == 0)
    out += "<t:StatusEvent><t:Watermark>" + encode_change_key(*watermark, false) +
           "</t:Watermark></t:StatusEvent>";
  out += "</m:Notification>";
  response.end();
  return response.take();
}

OperationResult resolve_names(Context& context, const Element& request) {
  Response response("ResolveNames");
  std::string asked = syncline::text::to_lower_ascii(request.child_text("UnresolvedEntry"));
  if (asked.starts_with("smtp:")) asked.erase(0, 5);
  const bool full = is_true(request.attribute_or("ReturnFullContactData", "false"));
  const std::string_view scope = request.attribute_or("SearchScope", "ActiveDirectoryContacts");
  constexpr std::size_t kMost = 100;
  std::string found;
  std::size_t count = 0;
  const auto add = [&](const std::string& name, const std::string& address, std::string_view type,
                       std::string_view source, const ItemRef* contact) {
    if (++count > kMost) return;
    found += "<t:Resolution><t:Mailbox>";
    append_text_element(found, "Name", name.empty() ? address : name);
    append_text_element(found, "EmailAddress", address);
    append_text_element(found, "RoutingType", "SMTP");
    append_text_element(found, "MailboxType", type);
    if (contact != nullptr) append_item_id(found, context.store, *contact);
    found += "</t:Mailbox>";
    if (full) {
      found += "<t:Contact>";
      append_text_element(found, "DisplayName", name.empty() ? address : name);
      found += "<t:EmailAddresses><t:Entry Key=\"EmailAddress1\">SMTP:";
      append_escaped(found, address);
      found += "</t:Entry></t:EmailAddresses>";
      append_text_element(found, "ContactSource", source);
      found += "</t:Contact>";
    }
    found += "</t:Resolution>";
  };
  // Ambiguous names match the beginning of an address, of the name, or of one of its words.
  const auto matches = [&](const std::string& text) {
    const std::string lower = syncline::text::to_lower_ascii(text);
    if (lower.starts_with(asked)) return true;
    for (std::size_t at = lower.find(' '); at != std::string::npos; at = lower.find(' ', at + 1))
      if (std::string_view(lower).substr(at + 1).starts_with(asked)) return true;
    return false;
  };
  if (scope != "Contacts")
    for (const auto& mailbox : context.store.mailboxes()) {
      if (mailbox->removed) continue;
      const MailboxDefinition& d = mailbox->definition;
      if (matches(d.address) || matches(d.display_name) ||
          std::any_of(d.aliases.begin(), d.aliases.end(), matches))
        add(d.display_name, d.address, "Mailbox", "ActiveDirectory", nullptr);
    }
  if (scope != "ActiveDirectory") {
    const PropertyId email = context.store.find_dictionary({f_email_addresses, "EmailAddress1", ""});
    for (const std::uint32_t number : context.mailbox.folder("contacts")->items) {
      const ItemRef ref{&context.mailbox, context.mailbox.item(number), std::nullopt};
      if (ref.item->kind != ItemKind::contact || email == 0 || !ref.item->bag.has(email)) continue;
      const std::string name(ref.get(f_display_name));
      const std::string address(ref.get(email));
      if (matches(name) || matches(address)) add(name, address, "Contact", "Store", &ref);
    }
  }
  if (count == 0) {
    response.error(refuse("ErrorNameResolutionNoResults", "No results were found.").value());
    return response.take();
  }
  const std::size_t shown = std::min(count, kMost);
  const std::string set = "<m:ResolutionSet TotalItemsInView=\"" + std::to_string(shown) +
                          "\" IncludesLastItemInRange=\"" + (count <= kMost ? "true" : "false") + "\">" +
                          found + "</m:ResolutionSet>";
  if (count == 1) {
    response.begin() += set;
    response.end();
  } else {
    // Several candidates are a warning, not a success.
    response.out() +=
        "<m:ResolveNamesResponseMessage ResponseClass=\"Warning\"><m:MessageText>Multiple results were found."
        "</m:MessageText><m:ResponseCode>ErrorNameResolutionMultipleResults</m:ResponseCode>"
        "<m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>" +
        set + "</m:ResolveNamesResponseMessage>";
  }
  return response.take();
}

OperationResult get_server_time_zones(Context&, const Element& request) {
  Response response("GetServerTimeZones");
  const bool full = is_true(request.attribute_or("ReturnFullTimeZoneData", "true"));
  std::string& out = response.begin();
  out += "<m:TimeZoneDefinitions>";
  if (const Element* ids = request.child("Ids")) {
    for (const Element& id : ids->children)
      if (const Zone* zone = find_zone(syncline::text::trim(id.text))) write_zone(out, *zone, full);
  } else {
    for (const Zone& zone : all_zones()) write_zone(out, zone, full);
  }
  out += "</m:TimeZoneDefinitions>";
  response.end();
  return response.take();
}

OperationResult convert_id(Context& context, const Element& request) {
  Response response("ConvertId");
  const std::string to(request.attribute_or("DestinationFormat", "EwsId"));
  const Element* ids = request.child("SourceIds");
  if (ids == nullptr) return schema("SourceIds is missing");
  constexpr char kDigits[] = "0123456789ABCDEF";
  for (const Element& id : ids->children) {
    const std::string from(id.attribute_or("Format", ""));
    const std::string given(id.attribute_or("Id", ""));
    // All formats carry the same octets: base64, the same for URLs, or hexadecimal.
    std::optional<std::string> octets;
    if (from == "HexEntryId") {
      std::string raw;
      bool good = given.size() % 2 == 0;
      for (std::size_t i = 0; good && i < given.size(); i += 2) {
        unsigned value = 0;
        for (const char c : given.substr(i, 2)) {
          const std::string_view digits(kDigits);
          const std::size_t digit =
              digits.find(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
          good = good && digit != std::string_view::npos;
          value = value * 16 + static_cast<unsigned>(digit & 15U);
        }
        raw += static_cast<char>(value);
      }
      if (good) octets = raw;
    } else {
      std::string plain = given;
      if (from == "OwaId") {
        std::replace(plain.begin(), plain.end(), '-', '+');
        std::replace(plain.begin(), plain.end(), '_', '/');
      }
      if (auto raw = syncline::base64_decode(plain)) octets = std::move(*raw);
    }
    if (!octets || !decode_id(syncline::base64_encode(*octets))) {
      response.error(refuse("ErrorInvalidIdMalformed", "Id is malformed.").value());
      continue;
    }
    std::string converted;
    if (to == "HexEntryId") {
      for (const char c : *octets) {
        converted += kDigits[static_cast<unsigned char>(c) >> 4];
        converted += kDigits[static_cast<unsigned char>(c) & 15U];
      }
    } else {
      converted = syncline::base64_encode(*octets);
      if (to == "OwaId") {
        std::replace(converted.begin(), converted.end(), '+', '-');
        std::replace(converted.begin(), converted.end(), '/', '_');
      }
    }
    std::string& out = response.begin();
    out +=
        "<m:AlternateId xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:type=\"t:AlternateIdType\"";
    append_attribute(out, "Format", to);
    append_attribute(out, "Id", converted);
    append_attribute(out, "Mailbox", context.mailbox.definition.address);
    out += "/>";
    response.end();
  }
  return response.take();
}

}  // namespace exchange_sim
