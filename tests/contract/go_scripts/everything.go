// Google's library for Go over what gcelib offers: prints as JSON what each story came to.
//
// URL, KEY_FILE and PROJECT say where and who.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"google.golang.org/api/compute/v1"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

const zone = "ch-gv2"

var (
	ctx     = context.Background()
	project = os.Getenv("PROJECT")
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// done waits for an operation in the zone, or a global one, and says how it ended.
func done(service *compute.Service, operation *compute.Operation, err error) string {
	must(err)
	for operation.Status != "DONE" {
		if operation.Zone == "" {
			operation, err = service.GlobalOperations.Wait(project, operation.Name).Do()
		} else {
			operation, err = service.ZoneOperations.Wait(project, zone, operation.Name).Do()
		}
		must(err)
	}
	if operation.Error != nil {
		return operation.Error.Errors[0].Code
	}
	return operation.Status
}

// told is a refusal's status, reason and words.
func told(_ interface{}, err error) []interface{} {
	var refused *googleapi.Error
	if !errors.As(err, &refused) || len(refused.Errors) == 0 {
		log.Fatalf("no refusal of Google's form: %v", err)
	}
	return []interface{}{refused.Code, refused.Errors[0].Reason, refused.Message}
}

func lists(service *compute.Service) map[string]interface{} {
	pages, images := 0, 0
	must(service.Images.List(project).MaxResults(10).Pages(ctx, func(page *compute.ImageList) error {
		pages++
		images += len(page.Items)
		return nil
	}))
	scopes := []string{}
	all, err := service.Instances.AggregatedList(project).Do()
	must(err)
	for scope := range all.Items {
		scopes = append(scopes, scope)
	}
	some, err := service.Zones.List(project).Filter("name eq de-.*").Do()
	must(err)
	return map[string]interface{}{"pages": pages, "images": images, "scopes": len(scopes), "zone": some.Items[0].Name}
}

func machine(service *compute.Service) map[string]interface{} {
	wish := &compute.Instance{
		Name:        "by-go",
		MachineType: "zones/" + zone + "/machineTypes/micro",
		Disks: []*compute.AttachedDisk{{Boot: true, AutoDelete: true, InitializeParams: &compute.AttachedDiskInitializeParams{
			SourceImage: "global/images/linux-centos-6-4-64-bit-10gb",
		}}},
		NetworkInterfaces: []*compute.NetworkInterface{{Network: "global/networks/default"}},
		Labels:            map[string]string{"kept": "yes"},
	}
	said := map[string]interface{}{}
	begun, err := service.Instances.Insert(project, zone, wish).Do()
	said["made"] = done(service, begun, err)
	said["taken"] = told(service.Instances.Insert(project, zone, wish).Do())
	there, err := service.Instances.Get(project, zone, "by-go").Do()
	must(err)
	said["read"] = []string{there.Status, there.Labels["kept"]}
	stale := &compute.InstancesSetLabelsRequest{Labels: map[string]string{"a": "b"}, LabelFingerprint: "b2xk"}
	said["stale"] = told(service.Instances.SetLabels(project, zone, "by-go", stale).Do())
	begun, err = service.Instances.Delete(project, zone, "by-go").Do()
	said["gone"] = done(service, begun, err)
	said["missing"] = told(service.Instances.Get(project, zone, "by-go").Do())
	return said
}

func wall(service *compute.Service) map[string]interface{} {
	rule := &compute.Firewall{
		Name: "by-go", Network: "global/networks/default", SourceRanges: []string{"10.1.0.0/16"},
		Allowed: []*compute.FirewallAllowed{{IPProtocol: "tcp", Ports: []string{"80"}}},
	}
	begun, err := service.Firewalls.Insert(project, rule).Do()
	said := map[string]interface{}{"made": done(service, begun, err)}
	begun, err = service.Firewalls.Delete(project, "by-go").Do()
	said["gone"] = done(service, begun, err)
	return said
}

func main() {
	service, err := compute.NewService(ctx,
		option.WithEndpoint(os.Getenv("URL")+"/compute/v1/"),
		option.WithCredentialsFile(os.Getenv("KEY_FILE")),
	)
	must(err)
	text, err := json.Marshal(map[string]interface{}{
		"lists": lists(service), "machine": machine(service), "wall": wall(service),
	})
	must(err)
	fmt.Println(string(text))
}
