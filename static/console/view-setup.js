// @ts-check
// The form of a new call: agent, language, variables, microphone.

import { byId, make } from "./dom.js";

/** @typedef {import("./protocol.js").StartOptions} StartOptions */
/** @typedef {{ task: string, provider: string, limits: string, problem: string }} RoleFacts */

export class SetupView {
  #fields = byId("setup", HTMLFieldSetElement);
  #agent = byId("agent", HTMLSelectElement);
  #language = byId("language", HTMLSelectElement);
  #variables = byId("variables", HTMLElement);
  #microphone = byId("with-microphone", HTMLInputElement);
  #roles = byId("roles", HTMLElement);
  #heading = byId("talk-heading", HTMLElement);

  constructor() {
    this.#agent.addEventListener("change", () => this.#showAgent());
    this.#showAgent();
  }

  get wantsMicrophone() {
    return this.#microphone.checked;
  }

  set wantsMicrophone(wants) {
    this.#microphone.checked = wants;
  }

  get agentName() {
    return this.#option.text;
  }

  /** @param {boolean} isActive a call is on: nothing can be chosen */
  lock(isActive) {
    this.#fields.disabled = isActive;
  }

  /**
   * Give what was chosen; null, with the focus on the field, when a value is missing.
   * @returns {StartOptions | null}
   */
  read() {
    /** @type {Record<string, string>} */
    const variables = {};
    for (const input of this.#variables.querySelectorAll("input")) {
      if (!input.reportValidity()) return null;
      if (input.value) variables[input.name] = input.value;
    }
    return { agentId: this.#agent.value, language: this.#language.value, variables };
  }

  get #option() {
    return this.#agent.selectedOptions[0];
  }

  #showAgent() {
    const { language = "", variables = "{}", roles = "[]" } = this.#option.dataset;
    this.#heading.textContent = this.agentName;
    this.#chooseLanguage(language);
    const fields = Object.entries(/** @type {Record<string, string | null>} */ (JSON.parse(variables)));
    this.#variables.replaceChildren(...fields.map(([name, value]) => variableField(name, value)));
    this.#roles.replaceChildren(.../** @type {RoleFacts[]} */ (JSON.parse(roles)).map(roleItem));
  }

  /** @param {string} code */
  #chooseLanguage(code) {
    if (!Array.from(this.#language.options).some((option) => option.value === code)) {
      this.#language.prepend(new Option(code, code));
    }
    this.#language.value = code;
  }
}

/**
 * @param {string} name
 * @param {string | null} value used when nothing is typed; null: something must be
 */
function variableField(name, value) {
  const input = make("input", "");
  input.type = "text";
  input.id = `variable-${name}`;
  input.name = name;
  input.required = value === null;
  input.placeholder = value ?? "";
  input.autocomplete = "off";
  const label = make("label", "", `${name.replaceAll("_", " ")} `, make("em", "", value === null ? "needed" : "optional"));
  label.htmlFor = input.id;
  return make("div", "field", label, input);
}

/** @param {RoleFacts} facts */
function roleItem({ task, provider, limits, problem }) {
  const item = make("li", "", make("b", "", `${task}: ${provider}`), make("p", "", limits));
  if (problem) item.append(make("p", "is-bad", problem));
  return item;
}
