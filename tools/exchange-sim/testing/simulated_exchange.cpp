// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/testing/simulated_exchange.hpp"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "tools/exchange-sim/exchange/xml.hpp"

namespace exchange_sim::testing {

namespace {

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) {
    std::fprintf(stderr, "simulated Exchange: %s: %s\n", what, result.error().describe().c_str());
    std::abort();
  }
  return std::move(*result);
}

/// What tells an element from its brothers of the same name, or "".
std::string label_of(const Element& element) {
  if (const auto* key = element.attribute("Key")) return *key;
  const Element* uri = element.name == "ExtendedProperty" ? element.child("ExtendedFieldURI") : nullptr;
  if (uri == nullptr) return {};
  std::string out(uri->attribute_or("DistinguishedPropertySetId", uri->attribute_or("PropertySetId", "")));
  for (const char* name : {"PropertyName", "PropertyId", "PropertyTag"}) {
    const auto value = uri->attribute_or(name, "");
    if (value.empty()) continue;
    if (!out.empty()) out += '/';
    out += value;
  }
  return out;
}

std::map<std::string, std::string> flattened(const Element& item) {
  std::map<std::string, std::string> out;
  std::vector<std::pair<std::string, const Element*>> open{{"", &item}};
  while (!open.empty()) {
    const auto [path, element] = std::move(open.back());
    open.pop_back();
    std::map<std::string, std::size_t> seen;
    for (const Element& child : element->children) {
      std::string name = path.empty() ? child.name : path + '/' + child.name;
      std::string label = label_of(child);
      if (const std::size_t before = seen[child.name]++; label.empty() && before > 0)
        label = std::to_string(before);
      if (!label.empty()) name += '[' + label + ']';
      if (child.name == "ExtendedProperty") {
        const Element* values = child.child("Values");
        out[name] = values == nullptr ? std::string(child.child_text("Value")) : inner_xml(*values);
        continue;
      }
      for (const auto& [attribute, value] : child.attributes) {
        if (attribute != "ChangeKey" && attribute != "Key") out[name + '@' + attribute] = value;
      }
      if (child.children.empty() && (!child.text.empty() || child.attributes.empty())) out[name] = child.text;
      open.emplace_back(std::move(name), &child);
    }
  }
  return out;
}

}  // namespace

SimulatedExchange::SimulatedExchange(syncline::net::testing::VirtualWorld& world,
                                     SimulatedExchangeOptions options)
    : host_(options.host), tenant_(options.oauth.tenant), service_(world.environment().clock, random_) {
  Site site;
  site.name = SimulatedExchange::site;
  site.hosts = {options.host};
  site.limits = options.limits;
  site.oauth = std::move(options.oauth);
  if (!site.oauth.applications.empty()) site.schemes.push_back(Scheme::bearer);
  for (const auto& address : options.addresses) {
    site.domains.push_back(address.substr(address.find('@') + 1));
    User user;
    user.address = address;
    user.password = Secret(password);
    site.users.push_back(std::move(user));
    must(service_.add_mailbox({.address = address, .display_name = address, .site = site.name}).map([] {
      return true;
    }),
         "a mailbox");
  }
  User service;
  service.address = service_account;
  service.password = Secret(password);
  service.has_mailbox = false;
  service.may_impersonate = {"*"};
  site.users.push_back(std::move(service));
  Config config;
  config.sites.push_back(std::move(site));
  std::vector<std::pair<std::string, std::string>> others;
  for (Site& other : options.others) {
    for (const std::string& one : other.hosts) others.emplace_back(one, other.name);
    config.sites.push_back(std::move(other));
  }
  config.schema_folder = std::move(options.schema_folder);
  sim_ = must(ExchangeSim::create(world.environment(), std::move(config), service_), "its configuration");
  world.serve_http(host_, 443, sim_->handler(SimulatedExchange::site));
  for (const auto& [name, of] : others) world.serve_http(name, 443, sim_->handler(of));
}

SimulatedExchange::~SimulatedExchange() = default;

std::string SimulatedExchange::url() const {
  return "https://" + host_ + "/EWS/Exchange.asmx";
}

std::string SimulatedExchange::token_url() const {
  return "https://" + host_ + "/" + tenant_ + "/oauth2/v2.0/token";
}

std::size_t SimulatedExchange::requests(std::string_view operation) const {
  return sim_->log().count_of(operation);
}

std::map<std::string, std::size_t> SimulatedExchange::requests() const {
  std::map<std::string, std::size_t> out;
  for (const auto& entry : sim_->log().entries()) ++out[entry.operation];
  return out;
}

std::size_t SimulatedExchange::handled(std::string_view operation) const {
  std::size_t out = 0;
  for (const auto& entry : sim_->log().entries())
    out += entry.operation == operation && entry.handled ? 1 : 0;
  return out;
}

void SimulatedExchange::forget_requests() {
  sim_->log().clear();
}

std::vector<std::string> SimulatedExchange::schema_violations() const {
  return sim_->log().schema_violations();
}

void SimulatedExchange::cut_reply(std::string_view operation, std::uint64_t octets, std::uint64_t times) {
  FaultRule rule;
  rule.action = Action::cut;
  rule.offset = octets;
  rule.times = times;
  fault(operation, std::move(rule));
}

void SimulatedExchange::lose_request(std::string_view operation, std::uint64_t times) {
  FaultRule rule;
  rule.action = Action::abort_before;
  rule.times = times;
  fault(operation, std::move(rule));
}

void SimulatedExchange::lose_reply(std::string_view operation, std::uint64_t times) {
  FaultRule rule;
  rule.action = Action::abort_after;
  rule.times = times;
  fault(operation, std::move(rule));
}

void SimulatedExchange::fault(std::string_view operation, FaultRule rule) {
  if (const auto known = rules_.find(operation); known != rules_.end()) {
    sim_->faults().remove(known->second);
    rules_.erase(known);
  }
  rule.operation = operation;
  const auto id = sim_->faults().add(std::move(rule));
  rules_.emplace(operation, id);
}

void SimulatedExchange::heal() {
  sim_->faults().clear();
  rules_.clear();
}

bool SimulatedExchange::was_cut(std::string_view operation) const {
  const auto& entries = sim_->log().entries();
  for (auto at = entries.rbegin(); at != entries.rend(); ++at) {
    if (operation == "*" || at->operation == operation) return at->is_cut;
  }
  return false;
}

ItemState SimulatedExchange::item(std::string_view mailbox, const ItemView& view) const {
  ItemState out;
  out.id = view.id;
  out.change_key = view.change_key;
  out.element = view.element;
  const auto xml = must(service_.item_xml(mailbox, view.id), "an item's properties");
  const auto root = must(parse_fragment(xml), "an item's XML");
  if (!root.children.empty()) out.properties = flattened(root.children.front());
  if (view.element == "Message") out.mime = must(service_.mime(mailbox, view.id), "an item's MIME");
  if (view.attachments > 0)
    for (auto& [name, content] : must(service_.attachments(mailbox, view.id), "an item's attachments"))
      out.attachments.emplace(std::move(name), std::move(content));
  return out;
}

std::vector<ItemState> SimulatedExchange::items(std::string_view mailbox, std::string_view folder) const {
  std::vector<ItemState> out;
  const auto views = must(service_.list(mailbox, folder), "a folder");
  for (const auto& view : views) out.push_back(item(mailbox, view));
  return out;
}

std::map<std::string, std::vector<ItemState>> SimulatedExchange::mailbox(std::string_view address) const {
  std::map<std::string, std::vector<ItemState>> out;
  const auto folders = must(service_.folders(address), "a mailbox");
  for (const auto& folder : folders) {
    if (folder.items == 0) continue;
    std::string path = folder.name;
    const FolderView* at = &folder;
    for (std::size_t level = 0; level < folders.size(); ++level) {
      const FolderView* parent = nullptr;
      for (const auto& other : folders)
        if (other.id == at->parent_id) parent = &other;
      if (parent == nullptr || parent->distinguished == "msgfolderroot" || parent->distinguished == "root")
        break;
      path = parent->name + '/' + path;
      at = parent;
    }
    out.emplace(path, items(address, folder.id));
  }
  return out;
}

}  // namespace exchange_sim::testing
