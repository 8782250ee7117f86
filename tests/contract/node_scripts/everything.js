// Google's library for Node.js over the collections: prints one JSON object, an entry for each story.
const compute = require('@google-cloud/compute');
const {GoogleAuth, OAuth2Client} = require('google-auth-library');

const server = new URL(process.env.URL);
const authClient = new OAuth2Client();
authClient.setCredentials({access_token: process.env.GCELIB_TOKEN});
const options = {
  fallback: true,
  auth: new GoogleAuth({authClient}),
  apiEndpoint: server.hostname,
  port: Number(server.port),
  protocol: server.protocol.slice(0, -1),
  projectId: 'demo',
};
const clients = {};
const client = name => clients[name] ??= new compute[`${name}Client`](options);
const PROJECT = {project: 'demo'};
const ZONE = {project: 'demo', zone: 'de-adv1'};
const REGION = {project: 'demo', region: 'de'};
const last = link => link.split('/').pop();

// Waits for what a change began, at the scope of its operation.
async function done([begun], where) {
  const kind = where.zone ? 'ZoneOperations' : where.region ? 'RegionOperations' : 'GlobalOperations';
  let operation = begun.latestResponse;
  do {
    [operation] = await client(kind).wait({...where, operation: operation.name});
  } while (operation.status !== 'DONE');
  return operation.error ? operation.error.errors[0].message : operation.status;
}

async function names(items) {
  const found = [];
  for await (const item of items) found.push(item.name);
  return found;
}

async function refusal(call) {
  try {
    await call;
  } catch (error) {
    return {code: error.code, message: error.message};
  }
  return null;
}

const boot = {boot: true, autoDelete: true, initializeParams: {sourceImage: 'global/images/debian-12'}};
const machine = (name, fields = {}) => ({
  name, machineType: 'zones/de-adv1/machineTypes/micro', disks: [boot],
  networkInterfaces: [{network: 'global/networks/demo-network', accessConfigs: [{name: 'External NAT', type: 'ONE_TO_ONE_NAT'}]}],
  ...fields,
});

const stories = {
  async lists() {
    const found = {};
    for (const [name, where] of [
      ['Addresses', REGION], ['DiskTypes', ZONE], ['Disks', ZONE], ['Firewalls', PROJECT], ['ForwardingRules', REGION],
      ['GlobalAddresses', PROJECT], ['GlobalOperations', PROJECT], ['Images', PROJECT], ['InstanceGroups', ZONE],
      ['InstanceTemplates', PROJECT], ['Instances', ZONE], ['MachineTypes', ZONE], ['Networks', PROJECT],
      ['RegionOperations', REGION], ['Regions', PROJECT], ['Routes', PROJECT], ['Snapshots', PROJECT],
      ['Subnetworks', REGION], ['TargetInstances', ZONE], ['TargetPools', REGION], ['ZoneOperations', ZONE], ['Zones', PROJECT],
    ]) found[name] = (await names(client(name).listAsync({...where, maxResults: 2}))).length;
    return found;
  },

  async aggregated() {
    const found = {};
    for (const name of [
      'Addresses', 'DiskTypes', 'Disks', 'ForwardingRules', 'GlobalOperations', 'InstanceGroups', 'InstanceTemplates',
      'Instances', 'MachineTypes', 'Subnetworks', 'TargetInstances', 'TargetPools',
    ]) {
      found[name] = [];
      for await (const [scope, held] of client(name).aggregatedListAsync({...PROJECT, maxResults: 2})) {
        found[name].push(`${scope} ${held.warning ? held.warning.code : ''}`.trim());
      }
    }
    return found;
  },

  async filters() {
    return {
      sizes: await names(client('MachineTypes').listAsync({...ZONE, filter: '(guestCpus >= 4) AND (name != huge)'})),
      zones: await names(client('Zones').listAsync({...PROJECT, filter: 'name eq "de-.*"'})),
      newest: (await names(client('Images').listAsync({...PROJECT, orderBy: 'creationTimestamp desc', maxResults: 5}))).length,
    };
  },

  async machine() {
    const machines = client('Instances'), found = {};
    found.made = await done(await machines.insert({...ZONE, instanceResource: machine('by-node', {
      labels: {env: 'prod'}, tags: {items: ['web']}, metadata: {items: [{key: 'role', value: 'front'}]},
    })}), ZONE);
    const [got] = await machines.get({...ZONE, instance: 'by-node'});
    found.read = [got.status, got.labels.env, got.tags.items[0], got.metadata.items[0].value, got.disks[0].diskSizeGb];
    found.ip = got.networkInterfaces[0].accessConfigs[0].natIP;
    found.labelled = await done(await machines.setLabels({...ZONE, instance: 'by-node', instancesSetLabelsRequestResource: {
      labels: {env: 'test'}, labelFingerprint: got.labelFingerprint}}), ZONE);
    found.stale = await refusal(machines.setLabels({...ZONE, instance: 'by-node', instancesSetLabelsRequestResource: {
      labels: {env: 'gone'}, labelFingerprint: got.labelFingerprint}}));
    found.stopped = await done(await machines.stop({...ZONE, instance: 'by-node'}), ZONE);
    found.resized = await done(await machines.setMachineType({...ZONE, instance: 'by-node',
      instancesSetMachineTypeRequestResource: {machineType: 'zones/de-adv1/machineTypes/small'}}), ZONE);
    found.started = await done(await machines.start({...ZONE, instance: 'by-node'}), ZONE);
    const [after] = await machines.get({...ZONE, instance: 'by-node'});
    found.after = [after.status, last(after.machineType), after.labels.env];
    return found;
  },

  async storage() {
    const disks = client('Disks'), machines = client('Instances'), found = {};
    found.disk = await done(await disks.insert({...ZONE, diskResource: {name: 'node-data', sizeGb: 5, labels: {a: 'b'}}}), ZONE);
    found.attached = await done(await machines.attachDisk({...ZONE, instance: 'by-node', attachedDiskResource: {
      source: 'zones/de-adv1/disks/node-data', deviceName: 'data'}}), ZONE);
    found.copied = await done(await disks.createSnapshot({...ZONE, disk: 'node-data', snapshotResource: {name: 'node-copy'}}), ZONE);
    const [copy] = await client('Snapshots').get({...PROJECT, snapshot: 'node-copy'});
    found.copy = [copy.status, copy.diskSizeGb, last(copy.sourceDisk)];
    found.imaged = await done(await client('Images').insert({...PROJECT, imageResource: {
      name: 'node-image', family: 'node', sourceSnapshot: 'global/snapshots/node-copy'}}), PROJECT);
    const [image] = await client('Images').getFromFamily({...PROJECT, family: 'node'});
    found.image = [image.name, image.status];
    found.detached = await done(await machines.detachDisk({...ZONE, instance: 'by-node', deviceName: 'data'}), ZONE);
    found.grown = await done(await disks.resize({...ZONE, disk: 'node-data', disksResizeRequestResource: {sizeGb: 8}}), ZONE);
    const [disk] = await disks.get({...ZONE, disk: 'node-data'});
    found.size = disk.sizeGb;
    found.gone = [
      await done(await client('Images').delete({...PROJECT, image: 'node-image'}), PROJECT),
      await done(await client('Snapshots').delete({...PROJECT, snapshot: 'node-copy'}), PROJECT),
      await done(await disks.delete({...ZONE, disk: 'node-data'}), ZONE),
    ];
    return found;
  },

  async balancing() {
    const pools = client('TargetPools'), rules = client('ForwardingRules'), found = {};
    found.address = await done(await client('Addresses').insert({...REGION, addressResource: {name: 'node-front'}}), REGION);
    const [address] = await client('Addresses').get({...REGION, address: 'node-front'});
    found.pool = await done(await pools.insert({...REGION, targetPoolResource: {
      name: 'node-pool', instances: ['zones/de-adv1/instances/by-node']}}), REGION);
    found.rule = await done(await rules.insert({...REGION, forwardingRuleResource: {
      name: 'node-rule', IPProtocol: 'TCP', portRange: '80', IPAddress: address.address,
      target: 'regions/de/targetPools/node-pool'}}), REGION);
    const [rule] = await rules.get({...REGION, forwardingRule: 'node-rule'});
    found.read = [rule.portRange, rule.IPAddress === address.address, last(rule.target)];
    const [health] = await pools.getHealth({...REGION, targetPool: 'node-pool', instanceReferenceResource: {
      instance: 'zones/de-adv1/instances/by-node'}});
    found.health = health.healthStatus[0].healthState;
    found.gone = [
      await done(await rules.delete({...REGION, forwardingRule: 'node-rule'}), REGION),
      await done(await pools.delete({...REGION, targetPool: 'node-pool'}), REGION),
      await done(await client('Addresses').delete({...REGION, address: 'node-front'}), REGION),
    ];
    return found;
  },

  async networks() {
    const networks = client('Networks'), tiers = client('Subnetworks'), walls = client('Firewalls'), found = {};
    found.network = await done(await networks.insert({...PROJECT, networkResource: {
      name: 'node-net', autoCreateSubnetworks: false}}), PROJECT);
    found.tier = await done(await tiers.insert({...REGION, subnetworkResource: {
      name: 'node-tier', network: 'global/networks/node-net', ipCidrRange: '10.8.1.0/24'}}), REGION);
    found.route = await done(await client('Routes').insert({...PROJECT, routeResource: {
      name: 'node-route', network: 'global/networks/node-net', destRange: '192.168.8.0/24', nextHopIp: '10.8.1.9'}}), PROJECT);
    const [tier] = await tiers.get({...REGION, subnetwork: 'node-tier'});
    found.read = [tier.ipCidrRange, last(tier.network)];
    found.wall = await done(await walls.insert({...PROJECT, firewallResource: {
      name: 'node-wall', network: 'global/networks/default', allowed: [{IPProtocol: 'tcp', ports: ['22']}],
      sourceRanges: ['10.0.0.0/8']}}), PROJECT);
    found.patched = await done(await walls.patch({...PROJECT, firewall: 'node-wall', firewallResource: {
      sourceRanges: ['10.1.0.0/16']}}), PROJECT);
    const [wall] = await walls.get({...PROJECT, firewall: 'node-wall'});
    found.ranges = wall.sourceRanges;
    found.gone = [
      await done(await walls.delete({...PROJECT, firewall: 'node-wall'}), PROJECT),
      await done(await client('Routes').delete({...PROJECT, route: 'node-route'}), PROJECT),
      await done(await tiers.delete({...REGION, subnetwork: 'node-tier'}), REGION),
      await done(await networks.delete({...PROJECT, network: 'node-net'}), PROJECT),
    ];
    return found;
  },

  async groups() {
    const groups = client('InstanceGroups'), templates = client('InstanceTemplates'), found = {};
    const {name, ...properties} = machine('x', {machineType: 'micro'});
    found.template = await done(await templates.insert({...PROJECT, instanceTemplateResource: {name: 'node-template', properties}}), PROJECT);
    const [template] = await templates.get({...PROJECT, instanceTemplate: 'node-template'});
    found.size = template.properties.machineType;
    found.group = await done(await groups.insert({...ZONE, instanceGroupResource: {name: 'node-group'}}), ZONE);
    found.added = await done(await groups.addInstances({...ZONE, instanceGroup: 'node-group', instanceGroupsAddInstancesRequestResource: {
      instances: [{instance: 'zones/de-adv1/instances/by-node'}]}}), ZONE);
    found.members = [];
    for await (const each of groups.listInstancesAsync({...ZONE, instanceGroup: 'node-group',
      instanceGroupsListInstancesRequestResource: {}})) found.members.push(`${last(each.instance)} ${each.status}`);
    found.gone = [
      await done(await groups.delete({...ZONE, instanceGroup: 'node-group'}), ZONE),
      await done(await templates.delete({...PROJECT, instanceTemplate: 'node-template'}), PROJECT),
    ];
    return found;
  },

  async errors() {
    const machines = client('Instances');
    return {
      missing: await refusal(machines.get({...ZONE, instance: 'nobody'})),
      taken: await refusal(machines.insert({...ZONE, instanceResource: machine('by-node')})),
      wrong: await refusal(machines.insert({...ZONE, instanceResource: machine('Not_a_name')})),
      refused: await refusal(machines.suspend({...ZONE, instance: 'by-node'})),
    };
  },

  async end() {
    const [project] = await client('Projects').get(PROJECT);
    const gone = await done(await client('Instances').delete({...ZONE, instance: 'by-node'}), ZONE);
    return {project: project.name, quotas: project.quotas.length > 0, gone};
  },
};

(async () => {
  const said = {};
  for (const [name, story] of Object.entries(stories)) {
    try {
      said[name] = await story();
    } catch (error) {
      said[name] = {broken: error.stack};
    }
  }
  console.log(JSON.stringify(said, null, 1));
})();
