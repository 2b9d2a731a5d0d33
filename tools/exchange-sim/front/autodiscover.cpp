// SPDX-License-Identifier: GPL-3.0-or-later
#include "tools/exchange-sim/front/autodiscover.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/text.hpp"
#include "tools/exchange-sim/front/soap.hpp"
#include "tools/exchange-sim/front/xml_document.hpp"

namespace exchange_sim {

namespace json = boost::json;
namespace text = syncline::text;

namespace {

constexpr std::string_view autodiscover_namespace = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
constexpr std::string_view pox_request_namespace =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
constexpr std::string_view pox_envelope_namespace =
    "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
constexpr std::string_view pox_response_namespace =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
constexpr std::size_t most_users = 100;

AutodiscoverReply json_error(int status, std::string_view code, std::string_view message) {
  AutodiscoverReply out;
  out.status = status;
  out.headers.set("Content-Type", "application/json; charset=utf-8");
  out.body = json::serialize(json::object{{"ErrorCode", code}, {"ErrorMessage", message}});
  out.codes.emplace_back(code);
  return out;
}

AutodiscoverReply xml_reply(std::string body) {
  AutodiscoverReply out;
  out.headers.set("Content-Type", "text/xml; charset=utf-8");
  out.body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>" + std::move(body);
  return out;
}

AutodiscoverReply pox_error(int code, std::string_view message) {
  auto out = xml_reply(
      fmt::format("<Autodiscover xmlns=\"{0}\"><Response xmlns=\"{0}\"><Error Time=\"00:00:00.0000000\" "
                  "Id=\"1\"><ErrorCode>{1}</ErrorCode><Message>{2}</Message><DebugData/></Error></Response></"
                  "Autodiscover>",
                  pox_envelope_namespace, code, xml_escape(message)));
  out.codes.push_back(std::to_string(code));
  return out;
}

AutodiscoverReply pox_account(std::string_view content) {
  return xml_reply(
      fmt::format("<Autodiscover xmlns=\"{}\"><Response xmlns=\"{}\">{}</Response></Autodiscover>",
                  pox_envelope_namespace, pox_response_namespace, content));
}

/// Display name, DN: nothing depends on them, but clients read them.
std::string display_name(const User& user) {
  return user.logon_name;
}
std::string legacy_dn(const SiteState& state, const User& user) {
  return fmt::format("/o={}/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn={}",
                     state.site.netbios_domain, user.logon_name);
}

struct Answer {
  std::string code = "NoError";
  std::string message = "No error.";
  std::string redirect;
  const User* user = nullptr;
};

Answer answer_for(const SiteState& state, std::string_view address) {
  Answer out;
  if (const auto* moved = state.moved(address)) {
    const bool to_address = !moved->redirect_address.empty();
    out.code = to_address ? "RedirectAddress" : "RedirectUrl";
    out.message = to_address ? "Redirection address." : "Redirection Url.";
    out.redirect = to_address ? moved->redirect_address : moved->redirect_url;
    return out;
  }
  out.user = state.user_of_address(address);
  if (out.user == nullptr || !out.user->has_mailbox) {
    out.user = nullptr;
    out.code = state.has_domain(address) ? "InvalidUser" : "InvalidDomain";
    out.message = fmt::format("Invalid user: '{}'", address);
  }
  return out;
}

std::map<std::string, std::string, std::less<>> settings_of(const SiteState& state, const User& user) {
  const auto ews = state.base_url() + "/EWS/Exchange.asmx";
  return {
      {"InternalEwsUrl", ews},
      {"ExternalEwsUrl", ews},
      {"EwsPartnerUrl", ews},
      {"InternalASUrl", ews},
      {"ExternalEwsVersion", state.site.build},
      {"CasVersion", state.site.build},
      {"EwsSupportedSchemas",
       "Exchange2007, Exchange2007_SP1, Exchange2010, Exchange2010_SP1, Exchange2010_SP2, Exchange2013, "
       "Exchange2013_SP1"},
      {"UserDisplayName", display_name(user)},
      {"UserDN", legacy_dn(state, user)},
      {"AutoDiscoverSMTPAddress", user.address},
      {"GroupingInformation", fmt::format("{}BackEnd{}", state.site.name, state.back_end_of(user.address))}};
}

std::string version_header(const SiteState& state) {
  const auto build = text::split(state.site.build, '.');
  return fmt::format(
      "<h:ServerVersionInfo "
      "xmlns:h=\"{}\"><h:MajorVersion>{}</h:MajorVersion><h:MinorVersion>{}</h:MinorVersion>"
      "<h:MajorBuildNumber>{}</h:MajorBuildNumber><h:MinorBuildNumber>{}</h:MinorBuildNumber><h:Version>{}</"
      "h:Version>"
      "</h:ServerVersionInfo>",
      autodiscover_namespace, build[0], build[1], build[2], build[3],
      state.site.product == Product::exchange2013 ? "Exchange2013" : "Exchange2015");
}

std::string soap_user_response(const SiteState& state, std::string_view address,
                               const std::vector<std::string>& wanted) {
  const auto answer = answer_for(state, address);
  std::string settings;
  std::string errors;
  if (answer.user != nullptr) {
    const auto known = settings_of(state, *answer.user);
    for (const auto& name : wanted) {
      const auto found = known.find(name);
      if (found == known.end()) {
        errors += fmt::format(
            "<UserSettingError><ErrorCode>SettingIsNotAvailable</ErrorCode><ErrorMessage>The setting is not "
            "available."
            "</ErrorMessage><SettingName>{}</SettingName></UserSettingError>",
            xml_escape(name));
      } else {
        settings += fmt::format(
            "<UserSetting i:type=\"StringSetting\"><Name>{}</Name><Value>{}</Value></UserSetting>",
            found->first, xml_escape(found->second));
      }
    }
  }
  return fmt::format(
      "<UserResponse><ErrorCode>{}</ErrorCode><ErrorMessage>{}</ErrorMessage>{}<UserSettingErrors>{}"
      "</UserSettingErrors><UserSettings>{}</UserSettings></UserResponse>",
      answer.code, xml_escape(answer.message),
      answer.redirect.empty() ? "<RedirectTarget i:nil=\"true\"/>"
                              : "<RedirectTarget>" + xml_escape(answer.redirect) + "</RedirectTarget>",
      errors, settings);
}

AutodiscoverReply soap_reply(const SiteState& state, std::string_view code, std::string_view message,
                             std::string_view users) {
  auto out = xml_reply(fmt::format(
      "<s:Envelope xmlns:s=\"{0}\" xmlns:a=\"http://www.w3.org/2005/08/addressing\"><s:Header><a:Action "
      "s:mustUnderstand=\"1\">{1}/Autodiscover/GetUserSettingsResponse</a:Action>{2}</s:Header><s:Body>"
      "<GetUserSettingsResponseMessage xmlns=\"{1}\"><Response "
      "xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\">"
      "<ErrorCode>{3}</ErrorCode><ErrorMessage>{4}</ErrorMessage><UserResponses>{5}</UserResponses></"
      "Response>"
      "</GetUserSettingsResponseMessage></s:Body></s:Envelope>",
      soap_namespace, autodiscover_namespace, version_header(state), code, xml_escape(message), users));
  if (code != "NoError") out.codes.emplace_back(code);
  return out;
}

}  // namespace

AutodiscoverReply autodiscover_json(const SiteState& state, std::string_view path, std::string_view query,
                                    const FindSite& find_site) {
  std::string address;
  std::string protocol;
  std::int64_t redirects = 0;
  for (const auto& [name, value] : parse_form(query)) {
    if (text::equals_ignore_case(name, "Email")) address = value;
    if (text::equals_ignore_case(name, "Protocol")) protocol = value;
    if (text::equals_ignore_case(name, "RedirectCount")) redirects = text::parse_int(value).value_or(0);
  }
  constexpr std::string_view versioned = "/autodiscover/autodiscover.json/v1.0/";
  if (address.empty() && path.size() > versioned.size() &&
      text::equals_ignore_case(path.substr(0, versioned.size()), versioned)) {
    address = percent_decode(path.substr(versioned.size()), false);
  }
  const auto finished = [&](AutodiscoverReply reply) {
    reply.mailbox = text::to_lower_ascii(address);
    return reply;
  };
  if (protocol.empty()) {
    return finished(json_error(400, "MandatoryParameterMissing",
                               "A valid value must be provided for the query parameter 'Protocol'"));
  }
  if (address.empty()) {
    return finished(json_error(400, "MandatoryParameterMissing", "A valid smtp address must be provided"));
  }
  const bool ews = text::equals_ignore_case(protocol, "Ews");
  const bool v1 = text::equals_ignore_case(protocol, "AutodiscoverV1");
  const bool active_sync = text::equals_ignore_case(protocol, "ActiveSync");
  if (!ews && !v1 && !active_sync) {
    return finished(json_error(400, "ProtocolNotSupported",
                               "The given protocol value '" + text::to_xml_text(protocol) + "' is invalid."));
  }
  if (redirects > 10) return finished(json_error(400, "RedirectCountExceeded", "Too many redirects."));
  if (const auto* moved = state.moved(address)) {
    const auto& next = moved->redirect_address.empty() ? moved->address : moved->redirect_address;
    std::string base = find_site(next);
    if (base.empty() && !moved->redirect_url.empty()) {
      const auto end = moved->redirect_url.find('/', moved->redirect_url.find("//") + 2);
      base = moved->redirect_url.substr(0, end);
    }
    if (!base.empty()) {
      AutodiscoverReply out;
      out.status = 302;
      out.headers.set("Location",
                      fmt::format("{}/autodiscover/autodiscover.json?Email={}&Protocol={}&RedirectCount={}",
                                  base, next, protocol, redirects + 1));
      return finished(std::move(out));
    }
  }
  const auto* user = state.user_of_address(address);
  if (user == nullptr || !user->has_mailbox || state.moved(address) != nullptr) {
    return finished(json_error(404, "UserNotFound", "The given user is not found"));
  }
  AutodiscoverReply out;
  out.headers.set("Content-Type", "application/json; charset=utf-8");
  out.body =
      json::serialize(json::object{{"Protocol", text::to_xml_text(protocol)},
                                   {"Url", state.base_url() + (ews  ? "/EWS/Exchange.asmx"
                                                               : v1 ? "/autodiscover/autodiscover.xml"
                                                                    : "/Microsoft-Server-ActiveSync")}});
  return finished(std::move(out));
}

AutodiscoverReply autodiscover_pox(const SiteState& state, const std::string& body) {
  const auto document = XmlDocument::parse(body);
  if (!document || !is_element(document->root(), pox_request_namespace, "Autodiscover")) {
    return pox_error(600, "Invalid Request");
  }
  const auto* request = child_named(document->root(), "Request");
  const std::string address(text::trim(text_of(child_named(request, "EMailAddress"))));
  const std::string schema(text::trim(text_of(child_named(request, "AcceptableResponseSchema"))));
  const auto finished = [&](AutodiscoverReply reply) {
    reply.mailbox = text::to_lower_ascii(address);
    return reply;
  };
  if (address.empty()) return finished(pox_error(600, "Invalid Request"));
  if (schema != pox_response_namespace) return finished(pox_error(601, "Provider is not available"));
  const auto answer = answer_for(state, address);
  if (answer.code == "RedirectAddress") {
    return finished(pox_account(
        fmt::format("<Account><Action>redirectAddr</Action><RedirectAddr>{}</RedirectAddr></Account>",
                    xml_escape(answer.redirect))));
  }
  if (answer.code == "RedirectUrl") {
    return finished(pox_account(
        fmt::format("<Account><Action>redirectUrl</Action><RedirectUrl>{}</RedirectUrl></Account>",
                    xml_escape(answer.redirect))));
  }
  if (answer.user == nullptr) return finished(pox_error(500, "The email address can't be found."));
  const auto url = xml_escape(state.base_url() + "/EWS/Exchange.asmx");
  const auto protocol = [&](std::string_view type) {
    return fmt::format(
        "<Protocol><Type>{}</Type><Server>{}</Server><ASUrl>{}</ASUrl><EwsUrl>{}</EwsUrl></Protocol>", type,
        xml_escape(state.site.hosts.front()), url, url);
  };
  return finished(pox_account(
      fmt::format("<User><DisplayName>{}</DisplayName><LegacyDN>{}</LegacyDN><AutoDiscoverSMTPAddress>{}</"
                  "AutoDiscoverSMTPAddress>"
                  "</User><Account><AccountType>email</AccountType><Action>settings</Action>{}{}</Account>",
                  xml_escape(display_name(*answer.user)), xml_escape(legacy_dn(state, *answer.user)),
                  xml_escape(answer.user->address), protocol("EXCH"), protocol("EXPR"))));
}

AutodiscoverReply autodiscover_soap(const SiteState& state, const std::string& body) {
  const auto document = XmlDocument::parse(body);
  const auto* envelope = document ? document->root() : nullptr;
  const auto in_body = envelope != nullptr && is_element(envelope, soap_namespace, "Envelope")
                           ? child_elements(child_named(envelope, "Body"))
                           : std::vector<xmlNode*>();
  if (in_body.size() != 1 ||
      !is_element(in_body.front(), autodiscover_namespace, "GetUserSettingsRequestMessage")) {
    AutodiscoverReply out;
    out.status = 500;
    out.headers.set("Content-Type", "text/xml; charset=utf-8");
    out.body = fmt::format(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "
        "xmlns:s=\"{}\"><s:Body><s:Fault><faultcode>s:Client"
        "</faultcode><faultstring>The request is not "
        "GetUserSettings.</faultstring></s:Fault></s:Body></s:Envelope>",
        soap_namespace);
    out.codes.emplace_back("s:Client");
    return out;
  }
  const auto* request = child_named(in_body.front(), "Request");
  std::vector<std::string> wanted;
  for (const auto* setting : child_elements(child_named(request, "RequestedSettings"))) {
    wanted.emplace_back(text::trim(text_of(setting)));
  }
  const auto users = child_elements(child_named(request, "Users"));
  if (users.empty() || wanted.empty()) {
    return soap_reply(state, "InvalidRequest", "At least one user and one setting must be requested.", {});
  }
  if (users.size() > most_users)
    return soap_reply(state, "InvalidRequest", "Too many users in one request.", {});
  std::string responses;
  std::string first;
  for (const auto* user : users) {
    const std::string address(text::trim(text_of(child_named(user, "Mailbox"))));
    if (first.empty()) first = text::to_lower_ascii(address);
    responses += soap_user_response(state, address, wanted);
  }
  auto out = soap_reply(state, "NoError", {}, responses);
  out.mailbox = first;
  return out;
}

}  // namespace exchange_sim
