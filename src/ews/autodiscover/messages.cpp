// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/autodiscover/messages.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "base/text.hpp"
#include "ews/xml/sax_reader.hpp"

namespace syncline::ews::autodiscover {

namespace {

constexpr std::size_t max_text_octets = 2048;
constexpr std::string_view soap_space = "http://schemas.microsoft.com/exchange/2010/Autodiscover";

/// A sign-in or error page instead of an answer is the commonest fault; it deserves its own words.
bool looks_like_html(std::string_view body) {
  std::string_view start = body.substr(0, 512);
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  const std::string lower = text::to_lower_ascii(text::trim(start));
  return lower.starts_with("<!doctype html") || lower.starts_with("<html") || lower.starts_with("<head");
}

unexpected<Error> html_page() {
  return fail(ErrorDomain::autodiscover, "html-page",
              "The server sent a web page and no Autodiscover answer");
}

unexpected<Error> not_autodiscover(std::string_view what) {
  return fail(ErrorDomain::autodiscover, "not-autodiscover",
              "The server's answer is no Autodiscover answer: " + std::string(what));
}

/// Walks a small document and tells its reader of every element that ends, with its text and where it stood.
class PathHandler : public xml::SaxHandler {
 public:
  Result<void> start_element(const xml::StartTag& tag) final {
    path_.emplace_back(tag.local);
    text_.clear();
    if (path_.size() == 1) return begin_root(tag);
    begin(tag);
    return {};
  }
  Result<void> end_element() final {
    const std::string_view trimmed = text::trim(text_);
    end(std::string(trimmed));
    path_.pop_back();
    text_.clear();
    return {};
  }
  Result<void> text(std::string_view piece) final {
    text_.append(piece.substr(0, max_text_octets - std::min(max_text_octets, text_.size())));
    return {};
  }

 protected:
  virtual Result<void> begin_root(const xml::StartTag& tag) = 0;
  virtual void begin(const xml::StartTag&) {}
  virtual void end(std::string value) = 0;

  /// The name of the element that ends (0), of its parent (1), …; empty above the root.
  std::string_view at(std::size_t up) const noexcept {
    return up < path_.size() ? std::string_view(path_[path_.size() - 1 - up]) : std::string_view();
  }
  bool inside(std::string_view name) const noexcept {
    return std::find(path_.begin(), path_.end(), name) != path_.end();
  }

 private:
  std::vector<std::string> path_;
  std::string text_;
};

Result<void> read_document(std::string_view body, xml::SaxHandler& handler) {
  if (looks_like_html(body)) return html_page();
  xml::Limits limits;
  limits.octets = max_answer_octets;
  limits.depth = 32;
  limits.elements = 20'000;
  limits.tag_octets = 16 * 1024;
  xml::SaxReader reader(handler, limits);
  if (auto fed = reader.feed(body); !fed) return fed;
  return reader.finish();
}

class SoapHandler final : public PathHandler {
 public:
  Answer answer;
  bool any_response = false;

  Result<Answer> result() && {
    if (!fault_.empty()) {
      answer.kind = Answer::Kind::error;
      answer.code = fault_code_.empty() ? "Fault" : fault_code_;
      answer.text = fault_;
      return std::move(answer);
    }
    if (!any_response) return not_autodiscover("it holds no GetUserSettings response");
    // The whole response's error counts where there is no user's; "NoError" stands in both when all is well.
    const std::string& code = !user_code_.empty() ? user_code_ : response_code_;
    const std::string& said = !user_code_.empty() ? user_text_ : response_text_;
    if (code == "RedirectAddress" || code == "RedirectUrl") {
      answer.kind = code == "RedirectAddress" ? Answer::Kind::redirect_address : Answer::Kind::redirect_url;
      if (answer.target.empty()) return not_autodiscover("its redirect has no target");
      return std::move(answer);
    }
    if (code != "NoError") {
      answer.kind = Answer::Kind::error;
      answer.code = code.empty() ? "no-error-code" : code;
      answer.text = said;
      return std::move(answer);
    }
    answer.kind = Answer::Kind::settings;
    for (std::size_t i = 0; i < 4; ++i) {
      if (version_[i].empty() || version_[i].size() > 6) continue;
      if (i > 0 && answer.server_version.empty()) break;
      answer.server_version += (i == 0 ? "" : ".") + version_[i];
    }
    return std::move(answer);
  }

 private:
  Result<void> begin_root(const xml::StartTag& tag) override {
    if (tag.local != "Envelope")
      return not_autodiscover("its root is " + text::escape_for_display(tag.local));
    return {};
  }
  void begin(const xml::StartTag& tag) override {
    if (tag.local == "GetUserSettingsResponseMessage") any_response = true;
    if (tag.local == "UserResponse") ++users_;
    if (tag.local == "UserSetting") setting_.clear();
  }
  void end(std::string value) override {
    const std::string_view name = at(0);
    const std::string_view parent = at(1);
    if (parent == "Fault" && name == "faultcode") {
      const auto colon = value.find(':');
      fault_code_ = colon == std::string::npos ? value : value.substr(colon + 1);
    } else if (parent == "Fault" && name == "faultstring") {
      fault_ = value.empty() ? "the server reports a fault" : std::move(value);
    } else if (name == "Fault" && fault_.empty()) {
      fault_ = "the server reports a fault";
    } else if (parent == "ServerVersionInfo") {
      static constexpr std::string_view parts[] = {"MajorVersion", "MinorVersion", "MajorBuildNumber",
                                                   "MinorBuildNumber"};
      for (std::size_t i = 0; i < 4; ++i) {
        if (name == parts[i] && text::parse_int(value)) version_[i] = std::move(value);
      }
    } else if (parent == "Response" && name == "ErrorCode") {
      response_code_ = std::move(value);
    } else if (parent == "Response" && name == "ErrorMessage") {
      response_text_ = std::move(value);
    } else if (users_ == 1 && parent == "UserResponse") {
      if (name == "ErrorCode")
        user_code_ = std::move(value);
      else if (name == "ErrorMessage")
        user_text_ = std::move(value);
      else if (name == "RedirectTarget")
        answer.target = std::move(value);
    } else if (users_ == 1 && parent == "UserSetting") {
      if (name == "Name")
        setting_ = std::move(value);
      else if (name == "Value")
        keep(std::move(value));
    }
  }
  void keep(std::string value) {
    if (setting_ == "ExternalEwsUrl")
      answer.external_ews_url = std::move(value);
    else if (setting_ == "InternalEwsUrl")
      answer.internal_ews_url = std::move(value);
    else if (setting_ == "AutoDiscoverSMTPAddress")
      answer.primary_address = std::move(value);
    else if (setting_ == "UserDisplayName")
      answer.display_name = std::move(value);
    else if (setting_ == "EwsSupportedSchemas")
      answer.supported_schemas = std::move(value);
    else if (setting_ == "GroupingInformation")
      answer.grouping_information = std::move(value);
  }

  int users_ = 0;
  std::string setting_;
  std::string user_code_;
  std::string user_text_;
  std::string response_code_;
  std::string response_text_;
  std::string fault_;
  std::string fault_code_;
  std::string version_[4];
};

class PoxHandler final : public PathHandler {
 public:
  Answer answer;

  Result<Answer> result() && {
    if (!answer.code.empty() || !answer.text.empty()) {
      answer.kind = Answer::Kind::error;
      return std::move(answer);
    }
    if (text::equals_ignore_case(action_, "redirectAddr") || !redirect_address_.empty()) {
      if (redirect_address_.empty()) return not_autodiscover("its redirect has no target");
      answer.kind = Answer::Kind::redirect_address;
      answer.target = std::move(redirect_address_);
      return std::move(answer);
    }
    if (text::equals_ignore_case(action_, "redirectUrl") || !redirect_url_.empty()) {
      if (redirect_url_.empty()) return not_autodiscover("its redirect has no target");
      answer.kind = Answer::Kind::redirect_url;
      answer.target = std::move(redirect_url_);
      return std::move(answer);
    }
    if (!any_account_) return not_autodiscover("it holds neither an account nor an error");
    answer.kind = Answer::Kind::settings;
    return std::move(answer);
  }

 private:
  Result<void> begin_root(const xml::StartTag& tag) override {
    if (tag.local != "Autodiscover")
      return not_autodiscover("its root is " + text::escape_for_display(tag.local));
    return {};
  }
  void begin(const xml::StartTag& tag) override {
    if (tag.local == "Account") any_account_ = true;
    if (tag.local == "Protocol") {
      type_.clear();
      ews_.clear();
      availability_.clear();
      version_.clear();
    }
    // Exchange 2013 and later give the type as an attribute in the MAPI form of the answer.
    if (tag.local == "Protocol") {
      if (const std::string_view* given = tag.attribute("Type")) type_ = std::string(*given);
    }
  }
  void end(std::string value) override {
    const std::string_view name = at(0);
    const std::string_view parent = at(1);
    if (parent == "Error" && name == "ErrorCode") {
      answer.code = std::move(value);
    } else if (parent == "Error" && name == "Message") {
      answer.text = std::move(value);
    } else if (parent == "Error" && name == "Status" && answer.code.empty()) {
      answer.code = std::move(value);  // the mobile schema's
    } else if (parent == "Account" && name == "Action") {
      action_ = std::move(value);
    } else if (parent == "Account" && name == "RedirectAddr") {
      redirect_address_ = std::move(value);
    } else if (parent == "Account" && name == "RedirectUrl") {
      redirect_url_ = std::move(value);
    } else if (parent == "Action" && name == "Redirect") {
      redirect_address_ = std::move(value);  // the mobile schema's
    } else if (parent == "User" && name == "AutoDiscoverSMTPAddress") {
      answer.primary_address = std::move(value);
    } else if (parent == "User" && name == "DisplayName") {
      answer.display_name = std::move(value);
    } else if (parent == "Protocol") {
      if (name == "Type")
        type_ = std::move(value);
      else if (name == "EwsUrl")
        ews_ = std::move(value);
      else if (name == "ASUrl")
        availability_ = std::move(value);
      else if (name == "ServerVersion")
        version_ = std::move(value);
    }
    if (name == "Protocol") end_protocol();
  }
  /// EXCH is for clients inside, EXPR for those outside; WEB nests small Protocols below Internal and
  /// External, and EXHTTP (2013 SP1 and later) comes for both and adds nothing.
  void end_protocol() {
    const std::string& url = ews_.empty() ? availability_ : ews_;
    const bool external = text::equals_ignore_case(type_, "EXPR") || inside("External");
    const bool internal = text::equals_ignore_case(type_, "EXCH") && !inside("External");
    if (!url.empty() && external && answer.external_ews_url.empty()) answer.external_ews_url = url;
    if (!url.empty() && internal && answer.internal_ews_url.empty()) answer.internal_ews_url = url;
    if (internal && answer.server_version.empty())
      answer.server_version = version_of_hex(version_).value_or("");
    ews_.clear();
    availability_.clear();
    type_.clear();
  }

  bool any_account_ = false;
  std::string action_;
  std::string redirect_address_;
  std::string redirect_url_;
  std::string type_;
  std::string ews_;
  std::string availability_;
  std::string version_;
};

std::string member(const boost::json::object& object, std::string_view name) {
  for (const auto& entry : object) {
    if (entry.value().is_string() && text::equals_ignore_case(entry.key(), name)) {
      const std::string_view value = entry.value().get_string();
      return std::string(value.substr(0, max_text_octets));
    }
  }
  return {};
}

}  // namespace

std::string json_target(std::string_view address) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string target = "/autodiscover/autodiscover.json/v1.0/";
  for (const char c : address) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '@';
    if (plain) {
      target += c;
    } else {
      target += '%';
      target += digits[static_cast<unsigned char>(c) >> 4];
      target += digits[static_cast<unsigned char>(c) & 15];
    }
  }
  return target + "?Protocol=EWS";
}

std::optional<std::string> address_of_json_target(std::string_view target) {
  const auto question_mark = target.find('?');
  const std::string_view path = target.substr(0, question_mark);
  if (question_mark != std::string_view::npos) {
    for (const std::string_view parameter : text::split(target.substr(question_mark + 1), '&')) {
      const auto equals = parameter.find('=');
      if (equals == std::string_view::npos) continue;
      if (text::equals_ignore_case(parameter.substr(0, equals), "Email"))
        return text::percent_decoded(parameter.substr(equals + 1));
    }
  }
  constexpr std::string_view versioned = "/autodiscover/autodiscover.json/v1.0/";
  if (path.size() > versioned.size() && text::equals_ignore_case(path.substr(0, versioned.size()), versioned))
    return text::percent_decoded(path.substr(versioned.size()));
  return std::nullopt;
}

std::string soap_request(std::string_view address, std::string_view url) {
  std::string body =
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
      "xmlns:w=\"http://www.w3.org/2005/08/addressing\" xmlns:a=\"";
  body += soap_space;
  body += "\"><s:Header><a:RequestedServerVersion>Exchange2013</a:RequestedServerVersion><w:Action>";
  body += soap_space;
  body +=
      "/Autodiscover/GetUserSettings</w:Action><w:To>" + text::escape_for_xml(url) +
      "</w:To></s:Header><s:Body><a:GetUserSettingsRequestMessage><a:Request><a:Users><a:User><a:Mailbox>" +
      text::escape_for_xml(address) + "</a:Mailbox></a:User></a:Users><a:RequestedSettings>";
  for (const std::string_view setting : {"UserDisplayName", "AutoDiscoverSMTPAddress", "InternalEwsUrl",
                                         "ExternalEwsUrl", "EwsSupportedSchemas", "GroupingInformation"}) {
    body += "<a:Setting>";
    body += setting;
    body += "</a:Setting>";
  }
  body += "</a:RequestedSettings></a:Request></a:GetUserSettingsRequestMessage></s:Body></s:Envelope>";
  return body;
}

std::string pox_request(std::string_view address) {
  return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
         "<Autodiscover "
         "xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\">"
         "<Request><EMailAddress>" +
         text::escape_for_xml(address) +
         "</EMailAddress><AcceptableResponseSchema>"
         "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
         "</AcceptableResponseSchema></Request></Autodiscover>";
}

Result<Answer> read_json(std::string_view body) {
  if (looks_like_html(body)) return html_page();
  if (body.size() > max_answer_octets) return not_autodiscover("it is too large");
  if (body.starts_with("\xef\xbb\xbf")) body.remove_prefix(3);
  boost::json::error_code failure;
  const boost::json::value parsed = boost::json::parse(body, failure);
  if (failure) return not_autodiscover("it is not JSON (" + failure.message() + ")");
  if (!parsed.is_object()) return not_autodiscover("it is no JSON object");
  const boost::json::object& object = parsed.get_object();
  Answer answer;
  answer.code = member(object, "ErrorCode");
  answer.text = member(object, "ErrorMessage");
  if (!answer.code.empty()) return answer;
  answer.external_ews_url = member(object, "Url");
  if (answer.external_ews_url.empty()) return not_autodiscover("it names no URL");
  const std::string protocol = member(object, "Protocol");
  if (!protocol.empty() && !text::equals_ignore_case(protocol, "EWS")) {
    return not_autodiscover("it is about another protocol");
  }
  answer.kind = Answer::Kind::settings;
  return answer;
}

Result<Answer> read_soap(std::string_view body) {
  SoapHandler handler;
  if (auto read = read_document(body, handler); !read) return fail(std::move(read).error());
  return std::move(handler).result();
}

Result<Answer> read_pox(std::string_view body) {
  PoxHandler handler;
  if (auto read = read_document(body, handler); !read) return fail(std::move(read).error());
  return std::move(handler).result();
}

std::optional<std::string> version_of_hex(std::string_view hex) {
  if (hex.size() != 8) return std::nullopt;
  std::uint32_t bits = 0;
  for (const char c : hex) {
    const std::uint32_t digit = c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0')
                                : c >= 'a' && c <= 'f' ? static_cast<std::uint32_t>(c - 'a' + 10)
                                : c >= 'A' && c <= 'F' ? static_cast<std::uint32_t>(c - 'A' + 10)
                                                       : 16;
    if (digit == 16) return std::nullopt;
    bits = bits << 4 | digit;
  }
  // MS-OXDSCLI, element ServerVersion: 4 bits of structure, 6 major, 6 minor, 1 flag, 15 build.
  return std::to_string(bits >> 22 & 0x3f) + "." + std::to_string(bits >> 16 & 0x3f) + "." +
         std::to_string(bits & 0x7fff);
}

std::string product_of_version(std::string_view version) {
  const auto parts = text::split(version, '.');
  const auto number = [&parts](std::size_t index) -> std::int64_t {
    return index < parts.size() ? text::parse_int(parts[index]).value_or(-1) : -1;
  };
  const std::int64_t major = number(0);
  const std::int64_t minor = number(1);
  if (major == 8) return "Exchange Server 2007";
  if (major == 14) return "Exchange Server 2010";
  if (major != 15) return {};
  if (minor == 0) return "Exchange Server 2013";
  if (minor == 1) return "Exchange Server 2016";
  // Subscription Edition went on from 2019 CU15 (15.2.1748) with build 2562.
  if (minor == 2) return number(2) >= 2562 ? "Exchange Server Subscription Edition" : "Exchange Server 2019";
  if (minor >= 20) return "Exchange Online";
  return {};
}

}  // namespace syncline::ews::autodiscover
