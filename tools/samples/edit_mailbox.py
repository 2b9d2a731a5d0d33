#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does in a mailbox what its owner might do in Outlook, so that tools/demo has something to merge.

  edit_mailbox.py URL ADDRESS CA USER PASSWORD add-contact GIVEN SURNAME PHONE
  edit_mailbox.py URL ADDRESS CA USER PASSWORD change-contact SURNAME JOB_TITLE
  edit_mailbox.py URL ADDRESS CA USER PASSWORD count FOLDER

URL is the EWS endpoint, ADDRESS the IP address its name stands for, CA the certificate authority's file."""
import base64
import http.client
import socket
import ssl
import sys
import urllib.parse
import xml.etree.ElementTree as xml
from xml.sax.saxutils import escape

T = "{http://schemas.microsoft.com/exchange/services/2006/types}"
M = "{http://schemas.microsoft.com/exchange/services/2006/messages}"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"'
    ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">'
    '<s:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header><s:Body>%s</s:Body></s:Envelope>'
)
CATEGORY = "<t:Categories><t:String>Tracked by Syncline</t:String></t:Categories>"


class Mailbox:
    def __init__(self, url, address, ca, user, password):
        self.url = urllib.parse.urlsplit(url)
        self.address = address
        self.tls = ssl.create_default_context(cafile=ca)
        self.authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def call(self, body):
        port = self.url.port or 443
        connection = http.client.HTTPSConnection(self.url.hostname, port, context=self.tls, timeout=30)
        plain = socket.create_connection((self.address, port), timeout=30)
        connection.sock = self.tls.wrap_socket(plain, server_hostname=self.url.hostname)
        connection.request("POST", self.url.path, (ENVELOPE % body).encode(),
                           {"Content-Type": "text/xml; charset=utf-8", "Authorization": self.authorization})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        root = xml.fromstring(text)
        for code in root.iter(M + "ResponseCode"):
            if code.text != "NoError":
                sys.exit(f"the server answered {code.text}")
        return root

    def find(self, folder, fields):
        shape = "".join(f'<t:FieldURI FieldURI="{field}"/>' for field in fields)
        return self.call(
            '<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
            f"<t:AdditionalProperties>{shape}</t:AdditionalProperties></m:ItemShape>"
            '<m:IndexedPageItemView MaxEntriesReturned="1000" Offset="0" BasePoint="Beginning"/>'
            f'<m:ParentFolderIds><t:DistinguishedFolderId Id="{escape(folder)}"/></m:ParentFolderIds></m:FindItem>')

    def add_contact(self, given, surname, phone):
        self.call(
            '<m:CreateItem><m:SavedItemFolderId><t:DistinguishedFolderId Id="contacts"/></m:SavedItemFolderId><m:Items>'
            f"<t:Contact>{CATEGORY}<t:DisplayName>{escape(given)} {escape(surname)}</t:DisplayName>"
            f"<t:GivenName>{escape(given)}</t:GivenName><t:PhoneNumbers>"
            f'<t:Entry Key="BusinessPhone">{escape(phone)}</t:Entry></t:PhoneNumbers>'
            f"<t:Surname>{escape(surname)}</t:Surname></t:Contact></m:Items></m:CreateItem>")

    def change_contact(self, surname, job_title):
        for contact in self.find("contacts", ["contacts:Surname"]).iter(T + "Contact"):
            if contact.findtext(T + "Surname") != surname:
                continue
            item = contact.find(T + "ItemId")
            self.call(
                '<m:UpdateItem ConflictResolution="NeverOverwrite"><m:ItemChanges><t:ItemChange>'
                f'<t:ItemId Id="{escape(item.get("Id"))}" ChangeKey="{escape(item.get("ChangeKey"))}"/><t:Updates>'
                '<t:SetItemField><t:FieldURI FieldURI="contacts:JobTitle"/>'
                f"<t:Contact><t:JobTitle>{escape(job_title)}</t:JobTitle></t:Contact></t:SetItemField>"
                "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>")
            return
        sys.exit(f"there is no contact {surname}")

    def count(self, folder):
        root = self.find(folder, ["item:Subject"])
        print(next(root.iter(M + "RootFolder")).get("TotalItemsInView"))


def main():
    if len(sys.argv) < 7:
        sys.exit(__doc__)
    mailbox = Mailbox(*sys.argv[1:6])
    action, arguments = sys.argv[6], sys.argv[7:]
    {"add-contact": mailbox.add_contact, "change-contact": mailbox.change_contact, "count": mailbox.count}[action](*arguments)


main()
