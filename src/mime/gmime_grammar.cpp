// SPDX-License-Identifier: GPL-3.0-or-later
#include "mime/gmime_grammar.hpp"

#include <gmime/gmime.h>

#include <memory>
#include <mutex>

namespace syncline::mime {
namespace {

/// g_mime_init() counts its callers without a lock, and reads the locale.
void start_gmime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

struct Unref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
template <class T>
using Object = std::unique_ptr<T, Unref>;

struct FreeOptions {
  void operator()(GMimeParserOptions* options) const { g_mime_parser_options_free(options); }
};

void note_trouble(gint64, GMimeParserWarning, const gchar*, gpointer is_clean) {
  *static_cast<bool*>(is_clean) = false;
}

std::unique_ptr<GMimeParserOptions, FreeOptions> lenient(bool& is_clean) {
  std::unique_ptr<GMimeParserOptions, FreeOptions> options(g_mime_parser_options_new());
  g_mime_parser_options_set_address_compliance_mode(options.get(), GMIME_RFC_COMPLIANCE_LOOSE);
  // The other way GMime cuts "Doe, John <j@example.com>" into two addresses.
  g_mime_parser_options_set_allow_addresses_without_domain(options.get(), FALSE);
  g_mime_parser_options_set_warning_callback(options.get(), note_trouble, &is_clean);
  return options;
}

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

void append_members(InternetAddressList* list, std::size_t limit, GrammarAddresses& out) {
  // Groups in groups are seen in the wild as little as in the RFC, but a peer may send them: a list of what
  // is still to be opened instead of a call for each.
  struct Open {
    InternetAddressList* list;
    int next;
  };
  std::vector<Open> open{{list, 0}};
  while (!open.empty()) {
    Open& top = open.back();
    if (top.next >= internet_address_list_length(top.list)) {
      open.pop_back();
      continue;
    }
    InternetAddress* one = internet_address_list_get_address(top.list, top.next++);
    if (INTERNET_ADDRESS_IS_GROUP(one)) {
      out.has_group = true;
      open.push_back({internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)), 0});
    } else if (INTERNET_ADDRESS_IS_MAILBOX(one)) {
      if (out.mailboxes.size() == limit) {
        out.is_clean = false;
        return;
      }
      out.mailboxes.push_back({text_of(internet_address_get_name(one)),
                               text_of(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)))});
    }
  }
}

}  // namespace

GrammarAddresses grammar_addresses(const std::string& text, std::size_t limit) {
  start_gmime();
  GrammarAddresses out;
  const auto options = lenient(out.is_clean);
  const Object<InternetAddressList> list(internet_address_list_parse(options.get(), text.c_str()));
  if (list != nullptr) append_members(list.get(), limit, out);
  return out;
}

std::string with_ascii_domain(const std::string& address) {
  start_gmime();
  const Object<InternetAddress> mailbox(internet_address_mailbox_new("", address.c_str()));
  if (mailbox == nullptr) return address;
  return text_of(internet_address_mailbox_get_idn_addr(INTERNET_ADDRESS_MAILBOX(mailbox.get())));
}

}  // namespace syncline::mime
